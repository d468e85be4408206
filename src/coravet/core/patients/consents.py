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
from coravet.core.legal.accept import Whose, append
from coravet.core.legal.documents import PersonalCapacity
from coravet.core.legal.model import Evidence, PublishedText, Shown
from coravet.core.legal.shown import shown_text
from coravet.core.messaging.model import Choice
from coravet.core.patients.model import Consent, ConsentDecision, ConsentPurpose, ConsentSource
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import ConsentView

TEXTS: dict[ConsentPurpose, frozenset[str]] = {
    "marketing": frozenset({"consent-marketing"}),
    "whatsapp": frozenset({"consent-whatsapp"}),
    "photos": frozenset({"consent-photos"}),
    "data_processing": frozenset({"portal-terms", "privacy"}),
}
"""The published texts by which a client agrees to a purpose; to treatment by the clinic's own paper, which is none."""


class NewConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client's decision on one purpose.

    Attributes:
        text: what they were shown, needed to accept: the words of now of a text for that purpose.
        source: how the client told.
        note: what else proves it, such as where the signed paper lies.
        capacity: whether the client decided, or who represents them, as must be under the age of 15.
    """

    purpose: ConsentPurpose
    decision: ConsentDecision
    text: Shown | None = None
    source: ConsentSource = "in_person"
    note: Annotated[str, Meta(max_length=500)] | None = None
    capacity: PersonalCapacity = "oneself"


def check_consent(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given, with their texts cleaned, and every bad one of them."""
    fields, errors = clean_fields(given, ("note",))
    if given.get("decision") == "accepted" and "text" in given and given["text"] is None:
        errors.append(FieldError("/text", "required", "Say which text the client was shown before agreeing."))
    return fields, errors


async def record_consent(
    client_id: UUID,
    command: NewConsent,
    actor: Actor,
    begin: Begin[PatientsWork],
    clock: Clock,
    evidence: Evidence,
) -> ConsentView:
    """Write down what a client decided, which is a change of the client, in the clinic's chain of decisions, too.

    A decision about WhatsApp is one about the channel, too: what is withdrawn here is not sent there.

    Raises:
        NotFound, ClientMerged: no such client here.
        Invalid: nothing was shown to who accepts, no such text for that purpose was published, or the note holds
            invisible characters.
        TextReplaced, HashMismatch: what they agreed to are not the words of now, or none that were published.
    """
    command = NewConsent(**sound(check_consent(msgspec.structs.asdict(command))))
    now = clock.now()
    async with begin(actor) as work:
        client = await work.clients.lock(client_id)
        published = await _published(work, client_id, command)
        consent = _consent(work, client_id, command, command.source, now)
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
        if published is not None:
            await _append(work, client_id, published, command, evidence, clock)
        return work.answer(await work.consents.view(client_id, consent.id))


async def withdraw_consent(
    work: PatientsWork, client_id: UUID, purpose: ConsentPurpose, source: str, clock: Clock
) -> None:
    """Write down that a client agrees to a purpose no longer; whoever calls counts it as a change of the client.

    The clinic's chain of decisions is locked by it: call it after all that takes other locks.

    Args:
        source: how the client told.
    """
    command = NewConsent(purpose, "withdrawn")
    published = await _published(work, client_id, command)
    await work.consents.add(_consent(work, client_id, command, source, clock.now()))
    if published is not None:
        await _append(work, client_id, published, command, Evidence(), clock)


def _consent(work: PatientsWork, client_id: UUID, command: NewConsent, source: str, decided_at: datetime) -> Consent:
    text = command.text
    return Consent(
        clinic_id=work.actor.clinic_id,
        id=work.new_id(),
        client_id=client_id,
        purpose=command.purpose,
        decision=command.decision,
        text_slug=None if text is None else text.slug,
        text_version=None if text is None else text.version,
        text_locale=None if text is None else text.locale,
        text_sha256=None if text is None else text.sha256,
        source=source,
        note=command.note,
        recorded_by=work.actor.member_id,
        decided_at=decided_at,
    )


async def _append(
    work: PatientsWork, client_id: UUID, text: PublishedText, command: NewConsent, evidence: Evidence, clock: Clock
) -> None:
    """Add the decision to the clinic's chain."""
    whose = Whose(client_id=client_id, recorded_by=work.actor.member_id)
    await append(
        work,
        text,
        command.decision,
        whose,
        evidence,
        clock,
        clinic_id=work.actor.clinic_id,
        capacity=command.capacity,
    )


async def _published(work: PatientsWork, client_id: UUID, command: NewConsent) -> PublishedText | None:
    """The published text that was decided on; None where it was the clinic's own, or none was shown and none agreed to.

    To take something back nobody need find the paper: it is that which they agreed to (LOPDP art. 8).
    """
    slugs = TEXTS.get(command.purpose)
    if slugs is None:
        return None
    if command.text is not None:
        return await shown_text(work, command.text, slugs, "/text", agreed=command.decision == "accepted")
    agreed = await work.consents.agreed(client_id, command.purpose) if command.decision == "withdrawn" else None
    if agreed is None:
        return None
    text = await work.legal_texts.text(agreed.slug, agreed.version, agreed.locale)
    # Before texts were published, what was shown was written down as it was told.
    return text if text is not None and text.sha256 == agreed.sha256 else None
