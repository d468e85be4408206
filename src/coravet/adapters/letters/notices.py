"""Reminders to the clinic's own people, in words."""

from datetime import date
from uuid import uuid5

from babel.dates import format_date

from coravet.adapters.letters.writer import DAY, ENGLISH, SPANISH
from coravet.core.messaging.ports import Letter
from coravet.core.privacy.ports import DueNotice, NotifyOfRequest, ReminderReason

SUBJECTS: dict[ReminderReason, str] = {
    "soon": "Solicitud de derechos: vence el {day}",
    "due": "Solicitud de derechos: vence hoy",
}
SPANISH_TEXT = (
    "Una persona ejerció un derecho sobre sus datos personales y {clinic} debe responderle, avisarle y ejecutar lo"
    " que corresponda hasta el {day}. La solicitud sigue abierta:"
)
ENGLISH_TEXT = (
    "Somebody exercised a right over their personal data, and {clinic} must answer, tell them and carry it out by"
    " {day}. The request is still open:"
)


class BilingualNotices:
    """`NoticeWriter`: mails in Spanish, then English, which say nothing of who asks.

    Args:
        requests: the address of a clinic's requests, with `{clinic}` for its slug and no slash at its end.
    """

    def __init__(self, requests: str) -> None:
        self._requests = requests

    def write(self, notice: DueNotice, job: NotifyOfRequest) -> Letter:
        spanish, english = _day(notice.due_on, SPANISH), _day(notice.due_on, ENGLISH)
        address = f"{self._requests.format(clinic=notice.clinic_slug)}/{job.request_id}"
        text = "\n\n".join(
            [
                SPANISH_TEXT.format(clinic=notice.clinic_name, day=spanish),
                ENGLISH_TEXT.format(clinic=notice.clinic_name, day=english),
                address,
            ]
        )
        return Letter(
            message_id=uuid5(job.request_id, f"{job.member_id} {job.reason}"),
            kind="rights_request_due",
            channel="mail",
            to=notice.to,
            sender=notice.clinic_name,
            subject=SUBJECTS[job.reason].format(day=spanish),
            text=text,
            parts=[],
        )


def _day(day: date, locale: str) -> str:
    return format_date(day, DAY[locale], locale=locale)
