"""Messages that staff send themselves: the list they work through, and what they did with each."""

from uuid import UUID

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import InvalidTransition
from coravet.core.kernel.events import ReminderSent
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Begin
from coravet.core.messaging.check import hindrance
from coravet.core.messaging.model import Channel, Message, MessageStatus
from coravet.core.messaging.ports import ByHand, MessagingWork, Writer
from coravet.core.messaging.views import Facts, MessageView


async def list_messages(
    page: PageRequest,
    channel: Channel | None,
    status: MessageStatus | None,
    actor: Actor,
    begin: Begin[MessagingWork],
    clock: Clock,
    writer: Writer,
    by_hand: ByHand,
) -> Page[MessageView]:
    """Messages, the last due first. One that waits has the address that opens it, or a word for why it no longer holds.

    Raises:
        Invalid: the cursor is not one of this list's.
    """
    now = clock.now()
    async with begin(actor) as work:
        found = await work.message_reads.messages(page, channel, status)
    views = []
    for message, facts in found.items:
        why, url = message.why, None
        if message.status == "waiting":
            why = hindrance(message, facts, now)
            url = None if why is not None else by_hand.url(writer.write(message, facts, {}, now))
        views.append(message_view(message, facts, why, url))
    return Page(views, found.next_cursor)


async def mark_sent(message_id: UUID, actor: Actor, begin: Begin[MessagingWork], clock: Clock) -> MessageView:
    """Log that the actor sent a waiting message.

    Raises:
        NotFound: no such message here.
        InvalidTransition: it does not wait; carries its status.
    """
    async with begin(actor) as work:
        message = await _waiting(message_id, work)
        message.status, message.sent_at, message.sent_by = "sent", clock.now(), actor.member_id
        work.emit(ReminderSent(message.id))
        facts = await work.message_reads.facts(message_id)
        return work.answer(message_view(message, facts, message.why, None))


async def skip(message_id: UUID, actor: Actor, begin: Begin[MessagingWork]) -> MessageView:
    """Take a waiting message off the list, unsent.

    Raises:
        NotFound: no such message here.
        InvalidTransition: it does not wait; carries its status.
    """
    async with begin(actor) as work:
        message = await _waiting(message_id, work)
        message.status, message.why = "skipped", "by_hand"
        facts = await work.message_reads.facts(message_id)
        return work.answer(message_view(message, facts, message.why, None))


async def _waiting(message_id: UUID, work: MessagingWork) -> Message:
    message = await work.messages.lock(message_id)
    if message.status != "waiting":
        raise InvalidTransition(
            "This message does not wait to be sent by hand: it was sent already, or is not due yet.",
            current_status=message.status,
        )
    return message


def message_view(message: Message, facts: Facts, why: str | None, url: str | None) -> MessageView:
    """A message as its readers see it."""
    return MessageView(
        id=message.id,
        kind=message.kind,
        subject_type=message.subject_type,
        subject_id=message.subject_id,
        channel=message.channel,
        due_at=message.due_at,
        status=message.status,
        why=why,
        attempts=message.attempts,
        sent_at=message.sent_at,
        sent_by=message.sent_by,
        client_id=facts.client_id,
        client_name=facts.client_name,
        patient_name=facts.patient_name,
        starts_at=facts.starts_at,
        url=url,
    )
