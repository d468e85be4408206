"""A clinic as the demo has it: who comes, and two weeks of visits around today. Pure, and the same for the same moment.

Nothing in it can be taken for a person: mail addresses end in .test, phones are of a range that Ecuador has not given
out (+593 90), and cédulas of one far beyond what a province has ever issued (third digit 5).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from random import Random
from typing import TypeVar
from uuid import UUID

import msgspec
from stdnum.ec import ci

from coravet.adapters.local import demo_words as words
from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.kernel.actor import ClinicId, MemberId
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.text import fold
from coravet.core.patients.breeds import breed_code
from coravet.core.patients.clients import NewClient, check_client
from coravet.core.patients.clients import search_key as client_search_key
from coravet.core.patients.model import (
    BirthDatePrecision,
    Client,
    DocumentType,
    Party,
    Patient,
    ReproductiveStatus,
    Sex,
    Species,
)
from coravet.core.patients.patients import NewPatient, check_patient
from coravet.core.patients.patients import search_key as patient_search_key
from coravet.core.scheduling.availability import open_for
from coravet.core.scheduling.errors import SlotTaken
from coravet.core.scheduling.hours import Interval, Openings, WeeklySpan, working
from coravet.core.scheduling.model import (
    Allocation,
    Appointment,
    Resource,
    ResourceKind,
    Service,
    Source,
    Status,
    Transition,
)
from coravet.core.scheduling.place import choose
from coravet.core.scheduling.ports import Held, Offer
from coravet.core.scheduling.transition import Step, destination
from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone

T = TypeVar("T")

DAYS_AROUND = 7

_DAY = timedelta(days=1)
_GRID = timedelta(minutes=15)  # a clinic's, until it chooses another
_VISIT: tuple[Step, ...] = ("check-in", "start", "ready", "complete")
_BEGINS: dict[Source, Status] = {"staff": "confirmed", "portal": "requested"}

_DOCUMENTS: tuple[tuple[DocumentType | None, int], ...] = (("cedula", 80), (None, 12), ("ruc", 6), ("passport", 2))
_SEXES: tuple[tuple[Sex, int], ...] = (("female", 48), ("male", 48), ("unknown", 4))
_REPRODUCTIVE_STATUSES: tuple[tuple[ReproductiveStatus, int], ...] = (("intact", 55), ("neutered", 35), ("unknown", 10))
_PRECISIONS: tuple[tuple[BirthDatePrecision, int], ...] = (("estimated", 4), ("day", 3), ("month", 3))

_Turns = Iterator[tuple[UUID, UUID]]
"""Patients with their owners, over and over."""


class PlannedResource(msgspec.Struct, frozen=True, kw_only=True):
    """A resource; `member` is the mail address of the vet's account."""

    kind: ResourceKind
    name: str
    spans: Sequence[WeeklySpan]
    member: str | None = None


class PlannedService(msgspec.Struct, frozen=True, kw_only=True):
    """A service.

    Attributes:
        buffers: minutes before and after.
        resources: names of those that may serve it.
        share: how often it is booked beside the others.
        species: those that come for it.
    """

    name: str
    minutes: int
    resources: Sequence[str]
    color: str
    buffers: tuple[int, int] = (0, 0)
    online: bool = False
    share: int = 1
    species: Sequence[Species] = words.SMALL
    reasons: Sequence[str] = ()


class ClinicPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a clinic is to be filled with.

    Attributes:
        province: its number, with which its people's cédulas begin.
        fill: the chance that a vet's free quarter of an hour is booked, from 0 to 1.
    """

    seed: str
    time_zone: str
    province: int
    resources: Sequence[PlannedResource]
    services: Sequence[PlannedService]
    clients: int
    patients: int
    fill: float


@dataclass
class Contents:
    """The rows of one clinic."""

    resources: list[Resource] = field(default_factory=list)
    hours: list[tuple[UUID, WeeklySpan]] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    assigned: list[tuple[UUID, UUID]] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    patients: list[Patient] = field(default_factory=list)
    parties: list[Party] = field(default_factory=list)
    appointments: list[Appointment] = field(default_factory=list)
    allocations: list[Allocation] = field(default_factory=list)
    history: list[Transition] = field(default_factory=list)


def furnish(plan: ClinicPlan, clinic_id: ClinicId, members: Mapping[str, MemberId], now: datetime) -> Contents:
    """All that the clinic holds, as its use cases would have left it.

    Args:
        members: the clinic's members by mail address.
        now: visits that ended before are over, those that begin later are to come.
    """
    furnishing = _Furnishing(plan, clinic_id, members, now.astimezone(UTC).replace(microsecond=0))
    furnishing.offer()
    furnishing.register()
    furnishing.book()
    return furnishing.made


class _Day(msgspec.Struct):
    """One clinic day: when resources are open, what is held of them, and the patients that come."""

    open: dict[UUID, list[Interval]]
    held: list[Held] = []
    seen: set[UUID] = set()


class _Furnishing:
    def __init__(self, plan: ClinicPlan, clinic_id: ClinicId, members: Mapping[str, MemberId], now: datetime) -> None:
        self.made = Contents()
        self._lives: list[tuple[Appointment, Sequence[Step], Sequence[datetime]]] = []
        self._plan = plan
        self._clinic_id = clinic_id
        self._members = members
        self._now = now
        self._zone = time_zone(plan.time_zone)
        self._today = day_of(now, self._zone)
        self._numbers = EcuadorNumbers()
        self._random = Random(plan.seed)  # noqa: S311 -- a demo repeats itself on purpose

    def offer(self) -> None:
        """The catalogue: resources with their hours, and services."""
        begin = self._now - 1000 * _DAY
        by_name: dict[str, Resource] = {}
        for planned in self._plan.resources:
            member_id = None if planned.member is None else self._members[planned.member]
            resource = Resource(self._clinic_id, self._id(begin), planned.kind, planned.name, member_id)
            by_name[planned.name] = resource
            self.made.hours += [(resource.id, span) for span in planned.spans]
        self.made.resources += by_name.values()
        for each in self._plan.services:
            service = Service(
                self._clinic_id, self._id(begin), each.name, each.minutes, *each.buffers, each.online, each.color
            )
            self.made.services.append(service)
            self.made.assigned += [(service.id, by_name[name].id) for name in each.resources]

    def register(self) -> None:
        """Clients and patients: everybody has an animal, and who has several is left to chance."""
        clients = [self._client(number) for number in range(self._plan.clients)]
        self.made.clients += clients
        for number in range(self._plan.patients):
            self._patient(clients[number] if number < len(clients) else self._random.choice(clients))

    def book(self) -> None:
        """The visits of two weeks around today."""
        owners = {party.patient_id: party.client_id for party in self.made.parties}
        turns: list[_Turns] = []
        for planned in self._plan.services:
            deck = [(each.id, owners[each.id]) for each in self.made.patients if each.species in planned.species]
            self._random.shuffle(deck)
            turns.append(cycle(deck))
        for number in range(-DAYS_AROUND, DAYS_AROUND + 1):
            self._book_day(self._today + number * _DAY, turns)
        for visit, steps, taken_at in self._lives:
            self.made.history += self._history(visit, steps, taken_at)

    def _client(self, number: int) -> Client:
        given = self._random.choice(self._random.choice((words.WOMEN, words.MEN)))
        families = self._random.sample(words.FAMILIES, 2)
        kind = self._weighed(_DOCUMENTS)
        # A family gives one phone for all of them.
        line = number - number % 7 if self._chance(0.1) else number
        mail = f"{fold(given).replace(' ', '.')}.{fold(families[0])}{number}@clientes.test"
        command = NewClient(
            given_name=given,
            family_name=" ".join(families),
            document_type=kind,
            document_number=self._document(kind, number),
            phone=f"+59390{self._plan.province:02}{line:05}" if self._chance(0.95) else None,
            email=mail if self._chance(0.4) else None,
        )
        checked = check_client(msgspec.structs.asdict(command), self._numbers)
        _accept(checked.errors)
        since = self._now - timedelta(minutes=self._random.randint(60_000, 1_300_000))
        client = Client(
            clinic_id=self._clinic_id, id=self._id(since), search_key="", created_at=since, **checked.fields
        )
        client.search_key = client_search_key(client)
        return client

    def _document(self, kind: DocumentType | None, number: int) -> str | None:
        first = f"{self._plan.province:02}5{number:06}"
        cedula = next(each for digit in range(10) if ci.is_valid(each := f"{first}{digit}"))
        return {None: None, "cedula": cedula, "ruc": f"{cedula}001", "passport": f"DEMO{number:04}"}[kind]

    def _patient(self, owner: Client) -> None:
        species = self._weighed(words.COMMON)
        sex = self._weighed(_SEXES)
        females, males = words.NAMES[species]
        known = self._chance(0.9)
        born = self._today - self._random.randint(60, 4000) * _DAY
        command = NewPatient(
            client_id=owner.id,
            name=self._random.choice({"female": females, "male": males, "unknown": (*females, *males)}[sex]),
            species=species,
            breed=self._random.choice(words.BREEDS[species]),
            sex=sex,
            reproductive_status=self._weighed(_REPRODUCTIVE_STATUSES) if species in {"dog", "cat"} else "unknown",
            birth_date=born if known else None,
            birth_date_precision=self._weighed(_PRECISIONS) if known else None,
            color=self._random.choice(words.COLORS) if species in {"dog", "cat", "cow", "horse"} else None,
        )
        fields, errors = check_patient(msgspec.structs.asdict(command), self._today)
        _accept(errors)
        client_id = fields.pop("client_id")
        seen_first = max(owner.created_at, bounds(born, self._zone).starts_at + 30 * _DAY)
        since = seen_first + timedelta(minutes=self._random.randint(2, 20))
        patient = Patient(clinic_id=self._clinic_id, id=self._id(since), search_key="", created_at=since, **fields)
        patient.search_key = patient_search_key(patient)
        patient.breed_code = breed_code(patient.species, patient.breed)
        self.made.patients.append(patient)
        self.made.parties.append(Party(self._clinic_id, self._id(since), patient.id, client_id, "owner", since))

    def _book_day(self, on: date, turns: Sequence[_Turns]) -> None:
        spans: dict[UUID, list[WeeklySpan]] = {resource.id: [] for resource in self.made.resources}
        for resource_id, span in self.made.hours:
            spans[resource_id].append(span)
        day = _Day({each: working(Openings(spans[each]), on, on, self._zone) for each in spans})
        bookable = list(zip(self._plan.services, self._offers(), turns, strict=True))
        for vet in (resource for resource in self.made.resources if resource.kind == "vet"):
            own = [(each, each[0].share) for each in bookable if vet.id in each[1].resources]
            for at in _starts(day.open[vet.id]):
                if self._chance(self._plan.fill):
                    self._book_visit(vet.id, at, day, *self._weighed(own))

    def _offers(self) -> list[Offer]:
        kinds = {resource.id: resource.kind for resource in self.made.resources}
        return [
            Offer(
                service_id=service.id,
                duration_minutes=service.duration_minutes,
                buffer_before_minutes=service.buffer_before_minutes,
                buffer_after_minutes=service.buffer_after_minutes,
                resources={each: kinds[each] for of, each in self.made.assigned if of == service.id},
            )
            for service in self.made.services
        ]

    def _book_visit(
        self, vet_id: UUID, at: datetime, day: _Day, planned: PlannedService, offer: Offer, turns: _Turns
    ) -> None:
        visit = Interval(at, at + timedelta(minutes=offer.duration_minutes))
        holding = Interval(
            visit.starts_at - timedelta(minutes=offer.buffer_before_minutes),
            visit.ends_at + timedelta(minutes=offer.buffer_after_minutes),
        )
        able = [each for each in offer.resources if open_for(day.open[each], visit)]
        if vet_id not in able:
            return
        overlapping = [
            each
            for each in day.held
            if each.during.starts_at < holding.ends_at and each.during.ends_at > holding.starts_at
        ]
        try:
            lane, taken = choose(offer, [vet_id], able, overlapping, lanes=1)
        except SlotTaken:
            return
        source, steps = self._life(visit)
        begun = min(visit.starts_at, self._now)
        booked_at = begun - timedelta(minutes=self._random.randint(60, 12_000))
        released_at = None
        if "no-show" in steps:
            released_at = min(visit.starts_at + timedelta(minutes=20), self._now)
        elif "cancel" in steps:
            released_at = booked_at + (begun - booked_at) / 2
        else:
            day.held += [Held(each, lane, holding) for each in taken]
        taken_at = [booked_at, *(released_at or min(_usually(step, visit), self._now) for step in steps)]
        patient_id, client_id = next(each for each in turns if each[0] not in day.seen)
        day.seen.add(patient_id)
        appointment = Appointment(
            clinic_id=self._clinic_id,
            id=self._id(booked_at),
            service_id=offer.service_id,
            patient_id=patient_id,
            client_id=client_id,
            status=_status(source, steps),
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            reason=self._random.choice(planned.reasons) if self._chance(0.8) else None,
            source=source,
            lane=lane,
            created_at=booked_at,
            status_since=taken_at[-1],
            checked_in_at=taken_at[1] if "check-in" in steps else None,
            previous_status=_status(source, steps[:-1]) if steps else None,
            cancel_reason=self._random.choice(words.CANCELLED) if "cancel" in steps else None,
            version=1 + len(steps),
        )
        self.made.appointments.append(appointment)
        self._lives.append((appointment, steps, taken_at))
        self.made.allocations += [
            Allocation(
                clinic_id=self._clinic_id,
                id=self._id(booked_at),
                appointment_id=appointment.id,
                resource_id=each,
                lane=lane,
                starts_at=holding.starts_at,
                ends_at=holding.ends_at,
                released_at=released_at,
            )
            for each in taken
        ]

    def _history(self, visit: Appointment, steps: Sequence[Step], taken_at: Sequence[datetime]) -> Iterator[Transition]:
        """The steps of a visit as they would have been written down."""
        statuses = [_status(visit.source, steps[:number]) for number in range(len(steps) + 1)]
        for number, (step, at) in enumerate(zip(("book", *steps), taken_at, strict=True)):
            yield Transition(
                clinic_id=self._clinic_id,
                id=self._id(at),
                appointment_id=visit.id,
                step=step,
                from_status=statuses[number - 1] if number else None,
                to_status=statuses[number],
                starts_at=visit.starts_at,
                at=at,
                by="guest" if visit.source == "portal" and step == "book" else "staff",
                user_id=None,
                reason=visit.cancel_reason if step == "cancel" else None,
            )

    def _life(self, visit: Interval) -> tuple[Source, tuple[Step, ...]]:
        """Who booked a visit, and the steps that it has taken by now."""
        luck = self._random.random()
        since_end = self._now - visit.ends_at
        if since_end >= _GRID:
            return "staff", _VISIT if luck < 0.86 else ("no-show",) if luck < 0.93 else ("cancel",)
        if since_end >= timedelta():
            return "staff", _VISIT[:3]
        if visit.starts_at <= self._now:
            return "staff", _VISIT[:2]
        if visit.starts_at <= self._now + _GRID:
            return "staff", _VISIT[:1]
        if day_of(visit.starts_at, self._zone) == self._today:
            return ("portal" if 0.75 < luck < 0.9 else "staff"), ("cancel",) if luck >= 0.9 else ()
        return "staff", ()

    def _id(self, at: datetime) -> UUID:
        """A UUIDv7 (RFC 9562, section 5.7) of that instant."""
        chance = self._random.getrandbits(74)
        milliseconds = int(at.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _weighed(self, items: Sequence[tuple[T, int]]) -> T:
        return self._random.choices([item for item, _ in items], [share for _, share in items])[0]


def _usually(step: Step, visit: Interval) -> datetime:
    """When a step of a visit that takes place is usually taken."""
    return {
        "check-in": visit.starts_at - timedelta(minutes=10),
        "start": visit.starts_at,
        "ready": visit.ends_at,
    }.get(step, visit.ends_at + timedelta(minutes=5))


def _status(source: Source, steps: Sequence[Step]) -> Status:
    """What a visit has become by these steps."""
    status = _BEGINS[source]
    for step in steps:
        status = destination(step, status, None) or status
    return status


def _accept(errors: Sequence[FieldError]) -> None:
    """Words that a use case would refuse are a mistake in the demo."""
    if errors:
        raise ValueError(f"the demo's data is not valid: {errors}")


def _starts(open_at: Sequence[Interval]) -> Iterator[datetime]:
    """The starts of the clinic's grid within these hours, which begin on it."""
    for each in open_at:
        at = each.starts_at
        while at < each.ends_at:
            yield at
            at += _GRID
