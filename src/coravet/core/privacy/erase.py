"""Erasing a client: rows and counts stay, the person goes (LOPDP art. 15)."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.kernel.apart import KeptApart
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Conflict, FieldError, StaleVersion
from coravet.core.kernel.events import ClientErased, PatientTransferred
from coravet.core.kernel.fields import sound
from coravet.core.kernel.text import clean
from coravet.core.kernel.work import Begin
from coravet.core.privacy.erasure_ports import Begun, Cuts, ErasureWork
from coravet.core.privacy.erasure_views import Certificate, ErasureView, Held
from coravet.core.privacy.redaction import cutter, sought, without
from coravet.core.privacy.requests import check_granted
from coravet.core.privacy.retention import held_until, in_force
from coravet.core.scheduling.deceased import end_upcoming
from coravet.core.scheduling.transfer import hand_over
from coravet.core.tenancy.clinic_day import day_of, time_zone


class VisitUnderWay(Conflict):
    """An animal of the client is at the clinic."""

    code = "visit_under_way"
    title = "A visit is going on"

    def __init__(self) -> None:
        super().__init__("An animal of this client is being seen. Complete that visit, then erase the client.")


class ImportUnfinished(Conflict):
    """A file that was handed in may bring the client back."""

    code = "import_unfinished"
    title = "An import is not finished"

    def __init__(self) -> None:
        super().__init__("A file that is being imported may name this client. Apply or delete the import, then erase.")


class Erase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rights request that asks for it, if one does; `version` is of the client.

    Attributes:
        also: words by which records may name them and which the clinic has no more: a former name or phone. They are
            cut out with the rest, and kept nowhere.
    """

    request_id: UUID | None = None
    also: Annotated[list[Annotated[str, Meta(min_length=1, max_length=160)]], Meta(max_length=20)] = []
    version: int | UnsetType = UNSET


_LEAST = 3


def check_erase(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The fields that were given, with their words cleaned, and every word that is none or would cut others."""
    fields, errors, words = dict(given), [], []
    for place, text in enumerate(given.get("also") or []):
        try:
            words.append(clean(text))
        except ValueError:
            errors.append(FieldError(f"/also/{place}", "malformed", "It holds an invisible character. Type it anew."))
            continue
        if sum(map(str.isalnum, words[-1])) < _LEAST:
            errors.append(FieldError(f"/also/{place}", "too_short", "A word to cut out has three letters or digits."))
    fields["also"] = words
    return fields, errors


class RegisteredErasure(msgspec.Struct, frozen=True):
    """What is kept of an erasure apart from the database, so that a restored backup can be brought to it.

    Attributes:
        clients: the client and whoever was merged into them, who in an older backup is somebody still.
        animals: those erased with them. In an older backup others may be theirs alone, too, that were kept.
    """

    clinic_id: ClinicId
    id: UUID
    number: int
    subject_type: str
    subject_id: UUID
    clients: list[UUID]
    request_id: UUID | None
    sha256: str
    animals: list[UUID]


async def erase_client(
    client_id: UUID,
    command: Erase,
    actor: Actor,
    begin: Begin[ErasureWork],
    clock: Clock,
    apart: KeptApart,
    registered: RegisteredErasure | None = None,
) -> ErasureView:
    """Take a client, and their animals that nobody else keeps, out of all that is stored; who was erased stays so.

    What was still to come ends, as with a death, and nobody is told. Animals that others keep become theirs with what
    is booked for them, and whatever names the client there is cut out. What a rule of retention holds back is blocked.

    Args:
        registered: the erasure as it is kept apart, where a restored database is brought to it: it is not kept there
            anew, and nothing stands in its way.

    Raises:
        Invalid: a further word to cut out is none.
        NotFound: no such client here, or no request by them for their erasure.
        InvalidTransition: that request was not granted.
        ClientMerged: they are another one now.
        StaleVersion: they changed since they were read.
        VisitUnderWay: an animal of theirs is being seen.
        ImportUnfinished: a file that is being imported may name them.
        Unavailable: the register that is kept apart cannot be written; nothing was erased.
    """
    also = sound(check_erase({"also": command.also}))["also"]
    async with begin(actor) as work:
        now = clock.now()
        found = await work.erasures.subject(client_id, now, None if registered is None else registered.animals)
        if found.erased:
            return work.answer(await work.erasure_reads.of_client(client_id))
        if command.version is not UNSET and command.version != found.version:
            raise StaleVersion(found.version)
        if registered is None and command.request_id is not None:
            await check_granted(work.rights_requests, command.request_id, client_id)
        if registered is None and found.under_way:
            raise VisitUnderWay
        if registered is None and found.in_import:
            raise ImportUnfinished
        person = msgspec.structs.replace(found.person, also=also)
        found = msgspec.structs.replace(found, person=person)
        zone = time_zone(actor.time_zone)
        rules = {rule.category: rule for rule in in_force(await work.retention.own()).rules}
        held = held_until(rules.values(), day_of(found.last_dealt or now, zone), day_of(now, zone))
        again = None if registered is None else Begun(registered.id, registered.number)
        begun = await work.erasures.begin(client_id, command.request_id, actor.member_id, now, again)
        await work.erasures.anonymise_forms(begun, found, held, now)
        visits = await work.upcoming.visits(found.animals, now)
        await end_upcoming(work, visits, await work.upcoming.entries(found.animals), now, "erased")
        for owner, animals in (await work.erasures.part(found, now)).items():
            await hand_over(work, animals, owner, now)
            for animal in animals:
                work.emit(PatientTransferred(animal))
        cuts = Cuts(
            prose=cutter(person, found.spared),
            products=cutter(person, alone=False),
            elsewhere=cutter(without(person, found.namesakes), alone=False),
            sought=sorted(sought(without(person, found.namesakes))),
        )
        rows, blocked = await work.erasures.anonymise(begun, found, cuts, held, now)
        certificate = Certificate(
            number=begun.number,
            clinic_id=actor.clinic_id,
            subject_type="client",
            subject_id=client_id,
            request_id=command.request_id,
            erased_at=now,
            rows=dict(sorted(rows.items())),
            held=[
                Held(
                    category,
                    blocked[category],
                    rules[category].basis,
                    until,
                    rules[category].review_on,
                    rules[category].provisional,
                )
                for category, until in held.items()
                if blocked.get(category)
            ],
        )
        digest = sha256(msgspec.json.encode(certificate)).hexdigest()
        await work.erasures.complete(begun, certificate, digest)
        work.emit(ClientErased(client_id, found.version + 1))
        answer = work.answer(ErasureView(begun.id, actor.member_id, certificate, digest))
        if registered is None:
            entry = RegisteredErasure(
                actor.clinic_id,
                begun.id,
                begun.number,
                "client",
                client_id,
                found.clients,
                command.request_id,
                digest,
                found.animals,
            )
            await apart.append("erasures", msgspec.json.encode(entry))
        return answer
