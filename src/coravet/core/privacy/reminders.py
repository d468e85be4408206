"""Reminding those who handle rights requests, before one is due and on its day: live, and by mail where that is set up.

Which requests to remind of is taken and told in one transaction, so that each reason is told once. The mails follow as
jobs, one for each person, of which a repeated attempt sends the same message id.
"""

from typing import get_args

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import PrivacyRequestDue
from coravet.core.kernel.work import Begin, SystemBegin
from coravet.core.messaging.ports import Messenger
from coravet.core.privacy.ports import NoticeWriter, NotifyOfRequest, RequestsWork
from coravet.core.tenancy.permissions import Role, permissions_of

BATCH = 200

HANDLERS: tuple[str, ...] = tuple(role for role in get_args(Role) if "privacy:manage" in permissions_of([role]))
"""The roles that handle rights requests."""


async def remind_of_requests(begin: SystemBegin[RequestsWork], clock: Clock) -> None:
    """Tell of every open request, in all clinics, that is due soon or today and was not told of yet."""
    full = True
    while full:
        async with begin("remind of rights requests") as work:
            batch = await work.request_reminders.take(clock.now(), BATCH)
            holders = await work.request_reminders.holders([due.clinic_id for due in batch], HANDLERS)
            for due in batch:
                work.emit(PrivacyRequestDue(due.request_id, due.version), due.clinic_id)
                for clinic_id, member_id in holders:
                    if clinic_id == due.clinic_id:
                        await work.jobs.defer(NotifyOfRequest(clinic_id, due.request_id, member_id, due.reason))
        full = len(batch) == BATCH


async def notify_of_request(
    job: NotifyOfRequest, actor: Actor, begin: Begin[RequestsWork], writer: NoticeWriter, mail: Messenger | None
) -> None:
    """Mail one person that a request is due; not where it is closed by now or they no longer handle requests.

    Raises:
        NotDelivered: the mail was not taken; the job is tried again.
    """
    if mail is None:
        return
    async with begin(actor) as work:
        notice = await work.request_reminders.notice(job.request_id, job.member_id, HANDLERS)
    if notice is not None:
        await mail.deliver(writer.write(notice, job))
