"""Messages in words, with dates as people say them."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from coravet.adapters.letters.words import LINKS, WORDS
from coravet.core.kernel.calendar import CalendarEntry, CalendarMethod, CalendarWriter, visit_uid
from coravet.core.messaging.model import LinkPurpose, Message
from coravet.core.messaging.ports import Attachment, Letter
from coravet.core.messaging.views import Facts

SPANISH, ENGLISH = "es_EC", "en"
DAY = {SPANISH: "EEEE d 'de' MMMM 'de' y", ENGLISH: "EEEE, MMMM d, y"}
TIME = {SPANISH: "HH:mm", ENGLISH: "h:mm a"}

CALENDAR: dict[str, CalendarMethod] = {
    "visit_booked": "PUBLISH",
    "visit_confirmed": "PUBLISH",
    "visit_moved": "PUBLISH",
    "visit_reminder": "PUBLISH",
    "visit_cancelled": "CANCEL",
}
"""Which mails bring the visit as an entry for the reader's own calendar."""


class BilingualWriter:
    """`Writer`: mails in Spanish, then English; WhatsApp in Spanish alone, and without links.

    Args:
        portal: the address below which a client's pages lie, without a slash at its end.
        offers: the same for offers to who waits.
        opt_outs: the same for the links that end reminders; programs post there, so it is the service's own.
    """

    def __init__(self, calendars: CalendarWriter, portal: str, offers: str, opt_outs: str) -> None:
        self._calendars = calendars
        self._portal = portal
        self._others: Mapping[str, str] = {"accept_offer": offers, "opt_out": opt_outs}

    def write(self, message: Message, facts: Facts, tokens: Mapping[LinkPurpose, str], now: datetime) -> Letter:
        words = WORDS[message.kind]
        spanish, english = _places(facts, SPANISH), _places(facts, ENGLISH)
        text = f"Hola, {facts.given_name}: {words.spanish.format(**spanish)}"
        if message.channel == "mail":
            hello = f"Hello {facts.given_name}, {words.english.format(**english)}"
            text = "\n\n".join([text, hello, *self._addresses(tokens), facts.clinic_name])
        else:
            text = f"{text} {facts.clinic_name}"
        return Letter(
            message_id=message.id,
            kind=message.kind,
            channel=message.channel,
            to=facts.address or "",
            sender=facts.clinic_name,
            subject=words.subject.format(**spanish),
            text=text,
            parts=[facts.given_name or "", *(part for part in spanish.values() if part), facts.clinic_name],
            calendar=self._entry(message, facts, now),
            opt_out=self._address("opt_out", tokens["opt_out"]) if "opt_out" in tokens else None,
        )

    def _address(self, purpose: LinkPurpose, token: str) -> str:
        return f"{self._others.get(purpose, self._portal)}/{token}"

    def _addresses(self, tokens: Mapping[LinkPurpose, str]) -> list[str]:
        return [f"{LINKS[purpose]}:\n{self._address(purpose, token)}" for purpose, token in tokens.items()]

    def _entry(self, message: Message, facts: Facts, now: datetime) -> Attachment | None:
        method = CALENDAR.get(message.kind)
        if message.channel != "mail" or method is None or facts.starts_at is None or facts.ends_at is None:
            return None
        entry = CalendarEntry(
            uid=visit_uid(message.subject_id),
            sequence=facts.version or 0,
            starts_at=facts.starts_at,
            ends_at=facts.ends_at,
            summary=f"{facts.service_name}: {facts.patient_name}",
            location=facts.clinic_name,
            status="cancelled" if method == "CANCEL" else "confirmed",
            changed_at=now,
        )
        zone = ZoneInfo(facts.time_zone)
        return Attachment(self._calendars.write([entry], name=facts.clinic_name, zone=zone, method=method), method)


def _places(facts: Facts, locale: str) -> dict[str, str]:
    """What fills the places of the words, in that language; empty where a message has no such place."""
    zone = ZoneInfo(facts.time_zone)
    when = ""
    if facts.starts_at is not None:
        local = facts.starts_at.astimezone(zone)
        when = f"{_day(local.date(), locale)}, {format_time(local.time(), TIME[locale], locale=locale)}"
    return {
        "pet": facts.patient_name or "",
        "service": facts.service_name or "",
        "when": when,
        "day": "" if facts.due_on is None else _day(facts.due_on, locale),
    }


def _day(day: date, locale: str) -> str:
    return format_date(day, DAY[locale], locale=locale)
