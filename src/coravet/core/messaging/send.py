"""Sending a message that is due."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.events import ReminderDue, ReminderSent
from coravet.core.kernel.work import Begin
from coravet.core.messaging.check import hindrance
from coravet.core.messaging.links import SEEN_AFTER, mint
from coravet.core.messaging.model import REMINDERS, LinkPurpose, Message
from coravet.core.messaging.ports import Letter, MessagingWork, Messengers, NotDelivered, SendMessage, Writer
from coravet.core.messaging.quiet import awake
from coravet.core.messaging.views import Facts
from coravet.core.tenancy.clinic_day import time_zone

LEASE = timedelta(minutes=3)
"""How long an attempt may be under way; after that it is taken for dead and made anew."""

MOST_ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
"""Between attempts: doubled each time, so that eight of them span about three hours."""

OPT_OUT_LIFE = timedelta(days=365)

LINKS: Mapping[str, tuple[LinkPurpose, ...]] = {
    "visit_requested": ("see", "confirm", "reschedule", "cancel"),
    "visit_booked": ("see", "reschedule", "cancel"),
    "visit_confirmed": ("see", "reschedule", "cancel"),
    "visit_moved": ("see", "reschedule", "cancel"),
    "visit_reminder": ("see", "reschedule", "cancel"),
    "waitlist_offer": ("accept_offer",),
}
"""What a mail of each kind lets its reader do. WhatsApp messages hold no links: their reader answers them."""


class Post(msgspec.Struct, frozen=True):
    """What carries messages: who words them, and the channels that are set up."""

    writer: Writer
    messengers: Messengers


async def send(message_id: UUID, actor: Actor, begin: Begin[MessagingWork], clock: Clock, post: Post) -> None:
    """Send a message if it still holds and is wanted, else write down why not.

    The attempt is committed before the letter is handed over and the outcome after, with no transaction in between. So
    two of these at once send once, and a letter that was taken just before a crash is sent again when the attempt's
    lease has run out: at least once, under one message id.

    Raises:
        NotFound: no such message in this clinic.
    """
    letter = await _attempt(message_id, actor, begin, clock, post)
    if letter is None:
        return
    outcome, why, again = "failed", None, False
    try:
        outcome = await post.messengers[letter.channel].deliver(letter)
    except NotDelivered as error:
        why, again = error.why, error.again
    async with begin(actor) as work:
        message = await work.messages.lock(message_id)
        now = clock.now()
        if message.status != "planned" and outcome != "sent":
            return  # it was withdrawn while it was on its way, and did not leave
        message.why = why
        if again and message.attempts < MOST_ATTEMPTS:
            await _postpone(message, now + pause(message.attempts), work)
            return
        _end(message, outcome, why, now)
        if outcome == "sent":
            work.emit(ReminderSent(message.id))
        elif outcome == "waiting":
            work.emit(ReminderDue(message.id))


def pause(attempts: int) -> timedelta:
    """How long to leave a channel alone after so many attempts."""
    return min(FIRST_PAUSE * (1 << max(attempts - 1, 0)), LONGEST_PAUSE)


async def _attempt(
    message_id: UUID, actor: Actor, begin: Begin[MessagingWork], clock: Clock, post: Post
) -> Letter | None:
    """Begin an attempt: the letter to hand over, or None where there is nothing to be sent now."""
    async with begin(actor) as work:
        message = await work.messages.lock(message_id)
        now = clock.now()
        if message.status != "planned":
            return None
        earliest = max(message.due_at, message.not_before or message.due_at)
        if earliest > now:
            await _postpone(message, earliest, work)
            return None
        facts = await work.message_reads.facts(message_id)
        why = hindrance(message, facts, now) or (None if message.channel in post.messengers else "channel_off")
        if why is None and message.kind in REMINDERS:
            earliest = awake(now, facts.quiet, time_zone(facts.time_zone))
            # Told at night or not at all: nobody is woken for a reminder.
            why = "quiet_hours" if facts.starts_at is not None and facts.starts_at <= earliest else None
        if why is not None:
            _end(message, "skipped", why, now)
            return None
        if earliest > now:
            await _postpone(message, earliest, work)
            return None
        if message.attempts >= MOST_ATTEMPTS:
            _end(message, "failed", message.why or "interrupted", now)
            return None
        message.attempts += 1
        message.not_before = now + LEASE
        return post.writer.write(message, facts, await _links(message, facts, now, work), now)


def _end(message: Message, status: str, why: str | None, now: datetime) -> None:
    message.status, message.why, message.not_before = status, why, None
    message.sent_at = now if status == "sent" else None


async def _postpone(message: Message, until: datetime, work: MessagingWork) -> None:
    message.not_before = until
    await work.jobs.defer(SendMessage(message.clinic_id, message.id), at=until)


async def _links(message: Message, facts: Facts, now: datetime, work: MessagingWork) -> dict[LinkPurpose, str]:
    """Fresh tokens: those of an attempt before are kept nowhere."""
    if message.channel != "mail":
        return {}
    tokens: dict[LinkPurpose, str] = {}
    if facts.starts_at is not None and facts.ends_at is not None:
        for purpose in LINKS.get(message.kind, ()):
            until = facts.ends_at + SEEN_AFTER if purpose == "see" else facts.starts_at
            tokens[purpose] = await mint(work, purpose, message.subject_id, until)
    if message.kind in REMINDERS and facts.client_id is not None:
        tokens["opt_out"] = await mint(work, "opt_out", facts.client_id, now + OPT_OUT_LIFE)
    return tokens
