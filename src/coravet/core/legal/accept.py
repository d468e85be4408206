"""Deciding about a legal text: what was shown, by whom, for whom; one entry in a chain, and nothing else."""

import secrets
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.kernel.events import LegalAcceptanceRequired
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import SystemBegin
from coravet.core.legal.chain import commitment_of, hash_of
from coravet.core.legal.documents import DOCUMENTS, Capacity, Decision, LegalDocument
from coravet.core.legal.errors import HashMismatch, NotForClinic, NothingToWithdraw, TextReplaced
from coravet.core.legal.gate import OpenDocument
from coravet.core.legal.model import Entry, Evidence, PublishedText, Secret, Shown
from coravet.core.legal.ports import LegalWork
from coravet.core.legal.views import AcceptanceView

NIL_CLINIC = ClinicId(UUID(int=0))
"""Under which people decide for themselves: they do so once, in however many clinics they work."""

Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/-]{1,100}$(?!\n)")]


class NewAcceptance(Shown, frozen=True, forbid_unknown_fields=True):
    """What a person decides about a text.

    Attributes:
        sha256: of the text that was shown, in hex.
        clinic: the slug of the clinic that is decided for, where the text binds one; needed by who owns several.
        screen: the page that showed the text; `build` is its version.
    """

    decision: Decision
    clinic: Annotated[str, Meta(max_length=64)] | None = None
    screen: Word | None = None
    build: Word | None = None


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Whose decision it is: exactly one of a user's, a client's or a guest's.

    Attributes:
        recorded_by: the member who wrote down what a client decided.
    """

    user_id: UserId | None = None
    client_id: UUID | None = None
    guest_request_id: UUID | None = None
    recorded_by: MemberId | None = None


async def published(work: LegalWork, shown: Shown) -> PublishedText:
    """The published text that was shown, whether it is in force or not.

    Raises:
        NotFound: no such version or language.
        HashMismatch: it has other words.
    """
    text = await work.legal_texts.text(shown.slug, shown.version, shown.locale)
    if text is None or text.slug not in DOCUMENTS:
        raise NotFound
    if text.sha256 != shown.sha256:
        raise HashMismatch
    return text


async def in_force(work: LegalWork, shown: Shown) -> PublishedText:
    """The published text that was shown, which is the one of now.

    Raises:
        NotFound: no such version or language.
        TextReplaced: there is a newer version.
        HashMismatch: it has other words.
    """
    text = await work.legal_texts.text(shown.slug, shown.version, shown.locale)
    if text is None or text.slug not in DOCUMENTS:
        raise NotFound
    if not text.in_force:
        newest = await work.legal_texts.in_force(shown.slug, shown.locale)
        if newest is not None:
            raise TextReplaced(to_show(newest, work))
    if text.sha256 != shown.sha256:
        raise HashMismatch
    return text


def to_show(text: PublishedText, work: LegalWork) -> OpenDocument:
    """What a page needs in order to show a text and to have it decided on."""
    return OpenDocument(text.slug, text.version, text.locale, text.sha256, work.legal_texts.url(text), text.title)


async def append(
    work: LegalWork,
    text: PublishedText,
    decision: Decision,
    whose: Whose,
    evidence: Evidence,
    clock: Clock,
    *,
    clinic_id: ClinicId,
    capacity: Capacity = "oneself",
) -> Entry:
    """Add a decision to the end of a clinic's chain, which nobody else adds to until this work ends: call it last."""
    number, previous = await work.acceptances.head(clinic_id)
    secret = None
    if evidence.address is not None or evidence.browser is not None:
        secret = Secret(evidence.address, evidence.browser, secrets.token_bytes(32))
    entry = Entry(
        clinic_id=clinic_id,
        id=work.new_id(),
        number=number + 1,
        user_id=whose.user_id,
        client_id=whose.client_id,
        guest_request_id=whose.guest_request_id,
        recorded_by=whose.recorded_by,
        slug=text.slug,
        version=text.version,
        locale=text.locale,
        sha256=text.sha256,
        decision=decision,
        capacity=capacity,
        screen=evidence.screen,
        build=evidence.build,
        request_id=evidence.request_id,
        decided_at=clock.now(),
        commitment=None if secret is None else commitment_of(secret),
        previous=previous,
        hash=b"",
    )
    entry = msgspec.structs.replace(entry, hash=hash_of(entry))
    await work.acceptances.add(entry, secret)
    return entry


async def decide(
    command: NewAcceptance, user_id: UserId, evidence: Evidence, begin: SystemBegin[LegalWork], clock: Clock
) -> AcceptanceView:
    """Decide about a text, for oneself or, where it binds a clinic, for a clinic that one owns.

    To accept or decline again what one accepted or declined last changes nothing: the first receipt is answered.

    Raises:
        NotFound: no such version or language, a clinic that is none of the person's, or they were erased meanwhile.
        TextReplaced: there is a newer version; one that one agreed to can be withdrawn all the same.
        HashMismatch: it has other words.
        NotForClinic: the person owns no such clinic.
        NothingToWithdraw: the last decision is not an acceptance.
        Invalid: it is a guest's text, or the person owns several clinics and names none, or names one where the text
            binds the person.
    """
    async with begin("decide about a legal text", user_id) as work:
        if not await work.acceptances.hold(user_id):
            raise NotFound
        # Agreeing is to the words of now; revoking is of whatever one agreed to, and as easy (LOPDP art. 8).
        find = published if command.decision == "withdrawn" else in_force
        text = await find(work, command)
        document = DOCUMENTS[text.slug]
        if document.audience == "guest":
            sentence = (
                "This is not a text to decide on here. Load the text that is asked for, show it, and name that one."
            )
            raise Invalid(errors=[FieldError("/slug", "wrong_text", sentence)])
        clinic_id, capacity = await _for_whom(work, document, user_id, command.clinic)
        await work.acceptances.head(clinic_id)
        whose = None if capacity == "clinic" else user_id
        last = await work.acceptances.last_of(clinic_id, whose, text.slug)
        if last is not None and (last.version, last.decision) == (text.version, command.decision):
            # Where another owner was first, this one gets a receipt of their own all the same.
            if last.user_id == user_id:
                return work.answer(await work.acceptances.view(user_id, last.id))
        elif command.decision == "withdrawn":
            # Who declined what came later may still take back what they agreed to.
            agreed = await work.acceptances.last_of(clinic_id, whose, text.slug, declined=False)
            if agreed is None or agreed.decision != "accepted":
                raise NothingToWithdraw
        told = msgspec.structs.replace(evidence, screen=command.screen, build=command.build)
        entry = await append(
            work,
            text,
            command.decision,
            Whose(user_id=user_id),
            told,
            clock,
            clinic_id=clinic_id,
            capacity=capacity,
        )
        # Declining what nobody has to accept takes nothing back.
        reopens = command.decision == "withdrawn" or (command.decision, text.change) == ("declined", "major")
        if document.blocking and reopens:
            who = {"clinic_id": clinic_id} if capacity == "clinic" else {"user_id": user_id}
            for clinic, person in await work.publishing.concerned(owners=capacity == "clinic", **who):
                work.emit(LegalAcceptanceRequired(text.version_id, person=person), clinic)
        return work.answer(await work.acceptances.view(user_id, entry.id))


async def list_own(user_id: UserId, page: PageRequest, begin: SystemBegin[LegalWork]) -> Page[AcceptanceView]:
    """One's own decisions, the newest first. Raises Invalid for a cursor that is not this list's."""
    async with begin("read own decisions", user_id) as work:
        return await work.acceptances.views(user_id, page)


async def get_own(acceptance_id: UUID, user_id: UserId, begin: SystemBegin[LegalWork]) -> AcceptanceView:
    """The receipt of one of one's own decisions. Raises NotFound."""
    async with begin("read own decisions", user_id) as work:
        return await work.acceptances.view(user_id, acceptance_id)


async def _for_whom(
    work: LegalWork, document: LegalDocument, user_id: UserId, clinic: str | None
) -> tuple[ClinicId, Capacity]:
    """In which chain the decision stands, and for whom it is taken."""
    if document.audience == "clinic":
        return await _owned(work, user_id, clinic), "clinic"
    if clinic is not None:
        raise Invalid(
            errors=[FieldError("/clinic", "not_for_a_clinic", "This text is decided on for oneself, not a clinic.")]
        )
    return NIL_CLINIC, "oneself"


async def _owned(work: LegalWork, user_id: UserId, clinic: str | None) -> ClinicId:
    owned = await work.acceptances.owned(user_id, clinic)
    if owned is None:
        raise NotFound
    if not owned:
        raise NotForClinic
    if len(owned) > 1:
        raise Invalid(
            errors=[FieldError("/clinic", "required", "You own several clinics: name the one you decide for.")]
        )
    return owned[0]
