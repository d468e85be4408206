"""Over which channels a client wants to be reminded: what they decided, who took it down, and how we know.

Consent to be reminded is optional (LOPDP arts. 7, 8): it is never assumed, it is proven by the rows that are kept, and
it is taken back as easily as it is given.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.events import ClientUpdated
from coravet.core.kernel.work import Begin
from coravet.core.messaging.model import CHANNELS, Channel, Choice, ChoiceSource
from coravet.core.messaging.ports import MessagingWork
from coravet.core.messaging.views import ChannelsView, OptOutView
from coravet.core.tenancy.ports import LinkFound


class Channels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client's choices; one of None stays as it is. `source` says how the client told."""

    mail: bool | None = None
    whatsapp: bool | None = None
    source: ChoiceSource = "in_person"


END_MAIL = Channels(mail=False, source="opt_out_link")


async def choose_channels(
    client_id: UUID, command: Channels, actor: Actor, begin: Begin[MessagingWork], clock: Clock
) -> ChannelsView:
    """Write down what a client decided, which is a change of the client; what is so already is not written again.

    Raises:
        NotFound: no such client here.
    """
    async with begin(actor) as work:
        before = await work.message_reads.channels(client_id)
        news = _news(command, before)
        if not news:
            return work.answer(before)
        version = await work.choices.change(client_id)
        await _write(work, client_id, news, command.source, clock.now())
        work.emit(ClientUpdated(client_id, version))
        return work.answer(await work.message_reads.channels(client_id))


async def refuse_channels(work: MessagingWork, client_id: UUID, source: str, now: datetime) -> None:
    """End all that a client is sent of the clinic's own accord; whoever calls counts it as a change of the client.

    Args:
        source: how the client told.
    """
    before = await work.message_reads.channels(client_id)
    await _write(work, client_id, _news(Channels(mail=False, whatsapp=False), before), source, now)


async def _write(
    work: MessagingWork, client_id: UUID, news: list[tuple[Channel, bool]], source: str, now: datetime
) -> None:
    for channel, chosen in news:
        await work.choices.add(
            Choice(
                clinic_id=work.actor.clinic_id,
                id=work.new_id(),
                client_id=client_id,
                channel=channel,
                allowed=chosen,
                source=source,
                recorded_by=work.actor.member_id,
                chosen_at=now,
            )
        )


def _news(command: Channels, before: ChannelsView) -> list[tuple[Channel, bool]]:
    """What the client decides on each channel that is not so yet."""
    return [
        (channel, chosen)
        for channel, chosen, present in zip(
            CHANNELS, (command.mail, command.whatsapp), (before.mail, before.whatsapp), strict=True
        )
        if chosen is not None and (present.source is None or present.allowed != chosen)
    ]


async def see_opt_out(link: LinkFound, begin: Begin[MessagingWork], clock: Clock) -> OptOutView:
    """What a link in a mail would end; nothing changes, for whoever scans mails opens it, too.

    Raises:
        NotFound: the link is for something else, or has expired.
    """
    actor = _holder(link, clock)
    async with begin(actor) as work:
        channels = await work.message_reads.channels(link.subject_id)
        return OptOutView(await work.message_reads.clinic_name(), ended=not channels.mail.allowed)


async def opt_out(link: LinkFound, begin: Begin[MessagingWork], clock: Clock) -> OptOutView:
    """End a client's reminders by mail.

    Raises:
        NotFound: the link is for something else, or has expired.
    """
    await choose_channels(link.subject_id, END_MAIL, _holder(link, clock), begin, clock)
    return await see_opt_out(link, begin, clock)


def _holder(link: LinkFound, clock: Clock) -> Actor:
    if link.purpose != "opt_out" or link.expires_at <= clock.now():
        raise NotFound
    return Actor(clinic_id=link.clinic_id, time_zone=link.time_zone, user_id=None)
