"""What a client agreed to, was asked for in vain, or took back; and what they were shown.

Consent is free, specific, informed and provable, and revoking it is as easy as giving it (LOPDP arts. 7, 8): either is
one row, added by the same call, and no row is ever changed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.events import ClientUpdated
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.legal.model import Shown
from coravet.core.messaging.model import Choice
from coravet.core.patients.model import Consent, ConsentDecision, ConsentPurpose, ConsentSource
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import ConsentView


class NewConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client's decision on one purpose.

    Attributes:
        text: what they were shown, needed to accept.
        source: how the client told.
        note: what else proves it, such as where the signed paper lies.
    """

    purpose: ConsentPurpose
    decision: ConsentDecision
    text: Shown | None = None
    source: ConsentSource = "in_person"
    note: Annotated[str, Meta(max_length=500)] | None = None


def check_consent(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given, with their texts cleaned, and every bad one of them."""
    fields, errors = clean_fields(given, ("note",))
    if given.get("decision") == "accepted" and "text" in given and given["text"] is None:
        errors.append(FieldError("/text", "required", "Say which text the client was shown before agreeing."))
    return fields, errors


async def record_consent(
    client_id: UUID, command: NewConsent, actor: Actor, begin: Begin[PatientsWork], clock: Clock
) -> ConsentView:
    """Write down what a client decided, which is a change of the client.

    A decision about WhatsApp is one about the channel, too: what is withdrawn here is not sent there.

    Raises:
        NotFound, ClientMerged: no such client here.
        Invalid: nothing was shown to who accepts, or the note holds invisible characters.
    """
    fields = sound(check_consent(msgspec.structs.asdict(command)))
    now, text = clock.now(), command.text
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        consent = Consent(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            client_id=client_id,
            purpose=command.purpose,
            decision=command.decision,
            text_slug=None if text is None else text.slug,
            text_version=None if text is None else text.version,
            text_locale=None if text is None else text.locale,
            text_sha256=None if text is None else text.sha256,
            source=command.source,
            note=fields["note"],
            recorded_by=actor.member_id,
            decided_at=now,
        )
        await work.consents.add(consent)
        if command.purpose == "whatsapp":
            await work.choices.add(
                Choice(
                    clinic_id=actor.clinic_id,
                    id=work.new_id(),
                    client_id=client_id,
                    channel="whatsapp",
                    allowed=command.decision == "accepted",
                    source=command.source,
                    recorded_by=actor.member_id,
                    chosen_at=now,
                )
            )
        advance(client, UNSET)
        work.emit(ClientUpdated(client.id, client.version))
        return work.answer(await work.consents.view(client_id, consent.id))


async def withdraw_consent(
    work: PatientsWork, client_id: UUID, purpose: ConsentPurpose, source: str, now: datetime
) -> None:
    """Write down that a client agrees to a purpose no longer; whoever calls counts it as a change of the client.

    Args:
        source: how the client told.
    """
    await work.consents.add(
        Consent(
            clinic_id=work.actor.clinic_id,
            id=work.new_id(),
            client_id=client_id,
            purpose=purpose,
            decision="withdrawn",
            text_slug=None,
            text_version=None,
            text_locale=None,
            text_sha256=None,
            source=source,
            note=None,
            recorded_by=work.actor.member_id,
            decided_at=now,
        )
    )
