"""Requests by people in the data, from receipt to the answer (LOPDP arts. 12 to 20 and 62).

Each one and every step is registered for good. Nothing is executed before whoever asks has proven who they are. The day
on which it is due is computed once, at receipt, and nothing moves it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid, InvalidTransition, NotFound
from coravet.core.kernel.events import ClientUpdated, PrivacyRequestClosed, PrivacyRequestOpened
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.holidays import HolidayCalendar
from coravet.core.kernel.text import paragraphs
from coravet.core.kernel.versions import advance
from coravet.core.kernel.work import Begin
from coravet.core.messaging.channels import refuse_channels
from coravet.core.patients.consents import withdraw_consent
from coravet.core.privacy.due import ask_until, clarify_until, due_on, reminded_at, warned_on
from coravet.core.privacy.erasure_ports import ERASED
from coravet.core.privacy.model import (
    IdentityMethod,
    RefusalBasis,
    RequestChannel,
    RequestDecision,
    RequestStep,
    Right,
    RightsRequest,
    RightsRequestStep,
)
from coravet.core.privacy.ports import RequestsWork, RightsRequests
from coravet.core.privacy.views import RightsRequestView
from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone

FIRST_DAY = date(2021, 5, 26)
"""The law was published on this day (Registro Oficial, quinto suplemento 459): nothing was asked under it before."""

Name = Annotated[str, Meta(min_length=1, max_length=160)]
Prose = Annotated[str, Meta(min_length=1, max_length=4000)]


class NewRightsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asks for.

    Attributes:
        client_id: who asks, where that is a client; else `name` and `contact`, by which they are answered.
        received_at: when it reached the clinic, by default now; one on paper may be written down later.
        minor: the person is under fifteen: `representative` says who asks for them, and what they are to them.
    """

    right: Right
    asked: Prose
    channel: RequestChannel = "in_person"
    client_id: UUID | None = None
    name: Name | None = None
    contact: Name | None = None
    minor: bool = False
    representative: Name | None = None
    received_at: Annotated[datetime, Meta(tz=True)] | None = None


class RightsRequestChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The next step of a request, with what that step needs and nothing else.

    Attributes:
        step: `prove_identity` with `method`; `ask` and `clarify` with `text`; `decide` with `outcome`, `text` and,
            unless granted in full, `basis`; `execute`; `close` once the person was told; `withdraw` where they take it
            back; `lift` to end a suspension.
        reference: of an erasure that is executed its id, of access and portability the export's.
        recipients_told: needed to execute a correction: whoever was given the data was told (LOPDP art. 14).
    """

    version: int
    step: RequestStep
    method: IdentityMethod | None = None
    outcome: RequestDecision | None = None
    basis: RefusalBasis | None = None
    reference: UUID | None = None
    recipients_told: bool | None = None
    text: Prose | None = None


NEEDS: Mapping[RequestStep, tuple[frozenset[str], frozenset[str]]] = {
    "prove_identity": (frozenset({"method"}), frozenset()),
    "ask": (frozenset({"text"}), frozenset()),
    "clarify": (frozenset({"text"}), frozenset()),
    "decide": (frozenset({"outcome", "text"}), frozenset({"basis"})),
    "execute": (frozenset(), frozenset({"reference", "recipients_told"})),
    "close": (frozenset(), frozenset()),
    "withdraw": (frozenset(), frozenset()),
    "lift": (frozenset(), frozenset()),
}
"""The fields that a step needs, and those that it may have besides."""

_DETAILS = ("method", "outcome", "basis", "reference", "recipients_told", "text")
_TAKES_REFERENCE = frozenset({"access", "portability", "erasure"})
_CHANGES_CLIENT = frozenset({"execute", "lift"})


def check_request(given: Mapping[str, Any], now: datetime) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given, with their texts cleaned, and every bad one of them."""
    fields, errors = clean_fields(given, ("name", "contact", "representative"))
    errors += _clean_prose(fields, "asked")
    errors += _check_subject(fields)
    if fields.get("minor") and "representative" in fields and fields["representative"] is None:
        sentence = "Somebody under fifteen asks through a representative. Write who that is, and what they are to them."
        errors.append(FieldError("/representative", "required", sentence))
    received = fields.get("received_at")
    if received is not None and received > now:
        errors.append(FieldError("/received_at", "in_future", "It cannot lie ahead."))
    elif received is not None and received.date() < FIRST_DAY:
        sentence = "The law is of 26 May 2021, and nothing was asked under it before. Check the year."
        errors.append(FieldError("/received_at", "out_of_range", sentence))
    return fields, errors


def _check_subject(fields: Mapping[str, Any]) -> list[FieldError]:
    if "client_id" not in fields:
        return []
    if fields["client_id"] is not None:
        sentence = "The client's record says who this is. Leave it out."
        return [FieldError(f"/{n}", "not_here", sentence) for n in ("name", "contact") if fields.get(n) is not None]
    sentence = "Choose the client who asks, or write the name of whoever does, and where they are answered."
    return [FieldError(f"/{n}", "required", sentence) for n in ("name", "contact") if fields.get(n) is None]


def check_change(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields of a step, with its text cleaned, and every one that the step lacks or does not take."""
    fields = dict(given)
    errors = _clean_prose(fields, "text") if fields.get("text") is not None else []
    if "step" not in fields:
        return fields, errors
    needed, taken = NEEDS[fields["step"]]
    for name in _DETAILS:
        if name in needed and name in fields and fields[name] is None:
            errors.append(FieldError(f"/{name}", "required", "This step needs this field."))
        elif name not in needed | taken and fields.get(name) is not None:
            errors.append(FieldError(f"/{name}", "not_here", "This step does not take this field. Leave it out."))
    if fields["step"] == "decide" and {"outcome", "basis"} <= fields.keys():
        errors += _check_basis(fields["outcome"], fields["basis"])
    return fields, errors


def _check_basis(outcome: str | None, basis: str | None) -> list[FieldError]:
    if outcome == "granted" and basis is not None:
        sentence = "What is granted in full needs no reason. Leave it out, or say that it is granted in part."
        return [FieldError("/basis", "not_here", sentence)]
    if outcome in {"partly", "refused"} and basis is None:
        return [FieldError("/basis", "required", "Say by which exception of the law it is not granted in full.")]
    if outcome == "partly" and basis in {"identity_not_proven", "not_clarified"}:
        sentence = "For this reason a request is refused as a whole. Choose an exception of the law."
        return [FieldError("/basis", "not_here", sentence)]
    return []


def _clean_prose(fields: dict[str, Any], name: str) -> list[FieldError]:
    if not isinstance(fields.get(name), str):
        return []
    fields[name] = paragraphs(fields[name]).strip()
    return [] if fields[name] else [FieldError(f"/{name}", "required", "It cannot be blank.")]


async def open_request(
    command: NewRightsRequest, actor: Actor, begin: Begin[RequestsWork], clock: Clock, holidays: HolidayCalendar
) -> RightsRequestView:
    """Register a request, and compute the day on which it is due from the day on which it was received.

    Raises:
        Invalid: a field breaks a rule; every bad field is listed.
        NotFound, ClientMerged: no such client here.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    fields = sound(check_request(msgspec.structs.asdict(command), now))
    received_at = command.received_at or now
    due = due_on(command.right, day_of(received_at, zone), holidays)
    async with begin(actor) as work:
        if command.client_id is not None:
            await work.clients.get(command.client_id)
        request = RightsRequest(
            clinic_id=actor.clinic_id,
            id=work.new_id(),
            kind=command.right,
            client_id=command.client_id,
            subject_name=fields["name"],
            subject_contact=fields["contact"],
            minor=command.minor,
            representative=fields["representative"],
            channel=command.channel,
            asked=fields["asked"],
            received_at=received_at,
            opened_at=now,
            opened_by=actor.member_id,
            due_on=due,
            due_at=bounds(due, zone).ends_at,
            soon_at=reminded_at(warned_on(due, holidays), zone),
            due_day_at=reminded_at(due, zone),
        )
        await work.rights_requests.add(request)
        await _register(work, request, "receive", now, due_on=due)
        work.emit(PrivacyRequestOpened(request.id, request.version))
        return work.answer(await work.request_reads.request(request.id, now))


async def take_request_step(
    request_id: UUID,
    command: RightsRequestChange,
    actor: Actor,
    begin: Begin[RequestsWork],
    clock: Clock,
    holidays: HolidayCalendar,
) -> RightsRequestView:
    """Take the next step with a request, and do what it asks for where that is ours to do.

    Raises:
        Invalid: the step lacks a field or does not take one.
        NotFound: no such request here, or no erasure of who asks under that id.
        ClientMerged: who asks was merged with another client at this moment; repeat the step.
        StaleVersion: it changed since it was read.
        InvalidTransition: its state does not allow the step, or who asks was erased and it has a text.
    """
    now, zone = clock.now(), time_zone(actor.time_zone)
    fields = sound(check_change(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        # A client is locked before what refers to them, as merging does.
        changed = await work.rights_requests.changes(request_id) if command.step in _CHANGES_CLIENT else None
        if changed is not None:
            await work.clients.lock(changed)
        if fields["text"] is not None and await work.rights_requests.erased(request_id):
            raise InvalidTransition("This client was erased, and nothing is written of them. Withdraw the request.")
        request = await work.rights_requests.lock(request_id)
        advance(request, command.version)
        _advance(request, command, now, day_of(now, zone), day_of(request.received_at, zone), holidays)
        if request.kind == "erasure" and command.reference is not None and request.client_id is not None:
            await work.rights_requests.check_erased(request.client_id, command.reference)
        if changed is not None:
            await _carry_out(work, request, command.step, changed, clock)
        details = {name: fields[name] for name in _DETAILS}
        await _register(work, request, command.step, now, **details)
        if command.step == "close" and request.kind == "erasure" and request.executed_at and request.client_id is None:
            _forget(request)
        if command.step in {"close", "withdraw"}:
            work.emit(PrivacyRequestClosed(request.id, request.version))
        return work.answer(await work.request_reads.request(request.id, now))


def _forget(request: RightsRequest) -> None:
    """Once somebody who is no client was told of their erasure, the register says that it was asked, not by whom."""
    request.subject_name, request.subject_contact, request.asked = ERASED, None, None
    request.representative = request.representative and ERASED


async def check_granted(rights_requests: RightsRequests, request_id: UUID, client_id: UUID) -> None:
    """That a client may be erased because they asked for it; the request stays as it is until the work ends.

    Raises:
        NotFound: no request by this client for their erasure.
        InvalidTransition: it was not decided yet, was refused, or was executed before.
    """
    request = await rights_requests.lock(request_id)
    if request.kind != "erasure" or request.client_id != client_id:
        raise NotFound
    if request.status != "decided" or request.outcome == "refused":
        raise InvalidTransition("The request has to be granted before the client is erased. Decide it first.")


def _advance(  # noqa: C901 -- one case a step
    request: RightsRequest,
    command: RightsRequestChange,
    now: datetime,
    today: date,
    received_on: date,
    holidays: HolidayCalendar,
) -> None:
    """The request after the step. Raises InvalidTransition, Invalid."""
    undecided = request.status in {"received", "identified"}
    match command.step:
        case "prove_identity":
            _only(request.status == "received")
            request.status, request.identity_method, request.identified_at = "identified", command.method, now
        case "ask":
            _only(undecided)
            if request.clarification_asked_at is not None:
                raise InvalidTransition("A clarification may be asked once, and was. Decide by what is known.")
            if today > ask_until(received_on):
                raise InvalidTransition("A clarification may be asked within five days of receipt, and these are over.")
            request.clarification_asked_at = now
            request.clarification_until = clarify_until(today, holidays)
        case "clarify":
            # An answer after its time is taken all the same, as long as nothing was decided.
            _only(undecided and request.clarification_asked_at is not None and request.clarified_at is None)
            request.clarified_at = now
        case "decide":
            _only(undecided)
            _check_decision(request, command, today)
            request.status, request.decided_at = "decided", now
            request.outcome, request.basis = command.outcome, command.basis
        case "execute":
            _only(request.status == "decided" and request.outcome != "refused")
            _check_execution(request, command)
            request.status, request.executed_at, request.executed_reference = "executed", now, command.reference
        case "close":
            _only(request.status == "executed" or (request.status == "decided" and request.outcome == "refused"))
            request.status, request.closed_at = "closed", now
        case "withdraw":
            _only(undecided)
            request.status, request.outcome, request.closed_at = "closed", "withdrawn", now
        case "lift":
            _only(request.kind == "suspension" and request.executed_at is not None and request.lifted_at is None)
            request.lifted_at = now


def _only(possible: object) -> None:
    """Raises InvalidTransition where it is not so."""
    if not possible:
        raise InvalidTransition("The request's state does not allow this step. Read it again to see what was done.")


def _check_decision(request: RightsRequest, command: RightsRequestChange, today: date) -> None:
    unproven = command.basis == "identity_not_proven"
    if request.status == "received" and not (command.outcome == "refused" and unproven):
        raise InvalidTransition("Whoever asks has to prove who they are before anything is decided.")
    if request.status == "identified" and unproven:
        raise InvalidTransition("Whoever asks has proven who they are. Choose another reason.")
    until = request.clarification_until
    waits = until is not None and request.clarified_at is None
    if command.basis == "not_clarified" and (not waits or (until is not None and today <= until)):
        raise InvalidTransition("The clarification was answered, was not asked, or may still be answered.")
    # Art. 16: of direct marketing an objection is always heeded, so that no exception refuses one as a whole.
    if request.kind == "objection" and command.outcome == "refused" and not (unproven or waits):
        raise InvalidTransition("An objection is always heeded as to marketing. Grant it, or grant it in part.")


def _check_execution(request: RightsRequest, command: RightsRequestChange) -> None:
    errors = []
    if request.kind == "erasure" and request.client_id is not None and command.reference is None:
        errors.append(FieldError("/reference", "required", "Erase the client first, and name that erasure here."))
    if command.reference is not None and request.kind not in _TAKES_REFERENCE:
        errors.append(FieldError("/reference", "not_here", "This step does not take this field. Leave it out."))
    if request.kind == "correction" and command.recipients_told is not True:
        sentence = "Tell whoever was given the data that it was corrected, and confirm it here."
        errors.append(FieldError("/recipients_told", "required", sentence))
    if request.kind != "correction" and command.recipients_told is not None:
        sentence = "This step does not take this field. Leave it out."
        errors.append(FieldError("/recipients_told", "not_here", sentence))
    if errors:
        raise Invalid(errors=errors)


async def _carry_out(
    work: RequestsWork, request: RightsRequest, step: RequestStep, client_id: UUID, clock: Clock
) -> None:
    """Do to the client what an objection or a suspension asks for.

    An objection ends consent to marketing and what the clinic sends of its own accord (LOPDP art. 16). A suspension
    marks the client, and nothing is sent to them while it lasts (art. 19).
    """
    if step == "lift":
        for each, version in await work.rights_requests.lift(client_id, request.id):
            work.emit(ClientUpdated(each, version))
        return
    client = await work.clients.lock(client_id)
    now = clock.now()
    if request.kind == "objection":
        await refuse_channels(work, client_id, "rights_request", now)
        await withdraw_consent(work, client_id, "marketing", "rights_request", clock)
    else:
        client.suspended_at = client.suspended_at or now
    advance(client, UNSET)
    work.emit(ClientUpdated(client.id, client.version))


async def _register(work: RequestsWork, request: RightsRequest, step: str, now: datetime, **details: Any) -> None:
    await work.request_steps.add(
        RightsRequestStep(
            clinic_id=request.clinic_id,
            id=work.new_id(),
            request_id=request.id,
            step=step,
            status=request.status,
            at=now,
            member_id=work.actor.member_id,
            **details,
        )
    )
