"""Random lives of visits on real PostgreSQL, beside a model of a few lines that says how each step must end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import UNSET
from tests.integration.parts.texts import shown

from coravet.adapters.postgres.engine import make_engine
from coravet.bootstrap import Services, make_works
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import DomainError
from coravet.core.legal.model import Shown
from coravet.core.patients.model import Client, Party, Patient
from coravet.core.scheduling.book import NewAppointment, book
from coravet.core.scheduling.catalogue import NewResource, NewService, add_resource, offer_service
from coravet.core.scheduling.guests import NewVisit, book_as_guest
from coravet.core.scheduling.hours import WeeklySpan
from coravet.core.scheduling.move import Reassign, Reschedule, reassign, reschedule
from coravet.core.scheduling.openings import Hours, set_hours
from coravet.core.scheduling.place import LANES
from coravet.core.scheduling.transition import StepCommand, take_step
from coravet.core.scheduling.views import AppointmentView
from coravet.core.scheduling.walk_in import WalkIn, walk_in
from coravet.settings import Settings

View = TypeVar("View")

VETS, ROOMS, STARTS = 2, 2, 4
MINUTES = 30
NOON = datetime(2031, 3, 3, 17, tzinfo=UTC)
LONGEST_WAIT = 24
"""How many starts a walk-in may be asked to wait: twelve hours."""

FORWARD = {
    ("requested", "confirm"): "confirmed",
    ("confirmed", "check-in"): "checked_in",
    ("checked_in", "start"): "in_exam",
    ("in_exam", "ready"): "ready",
    ("ready", "complete"): "completed",
    ("requested", "cancel"): "cancelled",
    ("confirmed", "cancel"): "cancelled",
    ("requested", "no-show"): "no_show",
    ("confirmed", "no-show"): "no_show",
}
BACK = {"checked_in": "confirmed", "in_exam": "checked_in", "ready": "in_exam", "completed": "ready"}
GONE = {"cancelled", "no_show"}
"""Hence a visit comes back to what it was before."""


class Still:
    """A clock that shows noon, at which the first start is."""

    def now(self) -> datetime:
        return NOON


@dataclass
class Modelled:
    """A visit as the model has it: who serves it, when (a start's number), in which lane, and its steps so far."""

    id: UUID
    vet: UUID
    room: UUID
    start: int
    lane: int
    status: str
    before: str = ""
    steps: list[str] = field(default_factory=lambda: ["book"])
    moves: int = 0


class Lives(RuleBasedStateMachine):
    """Receptionists and guests who do whatever comes to their minds, one after the other."""

    def __init__(self, on: Settings) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.settings = on
        self.engine = make_engine(on)
        self.works = make_works(on, self.engine)
        self.begin = self.works.begin
        self.visits: list[Modelled] = []

    @initialize()
    def open_clinic(self) -> None:
        self.runner.run(self._open())

    async def _open(self) -> None:
        services = Services(self.works, self.settings)
        made = await services.create_clinic(f"vidas-{token_hex(4)}", "Vidas", "America/Guayaquil", None)
        permissions = frozenset({"agenda:write", "agenda:overbook", "clinic:configure"})
        self.actor = Actor(clinic_id=made.id, time_zone="America/Guayaquil", user_id=None, permissions=permissions)
        spans = Hours([WeeklySpan(day, "00:00", "00:00") for day in range(1, 8)])
        self.vets, self.rooms = [], []
        for kind, made_of in (("vet", self.vets), ("room", self.rooms)):
            for number in range({"vet": VETS, "room": ROOMS}[kind]):
                resource = await add_resource(NewResource(kind, f"{kind} {number}"), self.actor, self.begin)  # type: ignore[arg-type]
                await set_hours(resource.id, spans, self.actor, self.begin, Still())
                made_of.append(resource.id)
        offered = NewService(
            "Consulta", MINUTES, [*self.vets, *self.rooms], bookable_online=True, minimum_notice_minutes=0
        )
        self.service = (await offer_service(offered, self.actor, self.begin)).id
        async with self.begin(self.actor) as work:
            clinic, now = self.actor.clinic_id, NOON - timedelta(days=2)
            client = Client(clinic, work.new_id(), "Ana", "Vera", None, None, None, None, "ana vera", now)
            patient = Patient(
                clinic, work.new_id(), "Luna", "cat", None, "female", "intact", None, None, None, "luna", now
            )
            await work.clients.add(client)
            await work.patients.add(patient)
            await work.parties.add(Party(clinic, work.new_id(), patient.id, client.id, "owner", now))
        self.patient = patient.id

    def held(self, start: int, but: Modelled | None = None) -> set[tuple[UUID, int]]:
        """What the model has taken of a start: who, and in which lane."""
        there = [each for each in self.visits if each is not but and each.status not in GONE and each.start == start]
        return {(resource, each.lane) for each in there for resource in (each.vet, each.room)}

    def lane(
        self,
        start: int,
        vets: list[UUID],
        rooms: list[UUID] | None = None,
        *,
        overbook: bool,
        but: Modelled | None = None,
    ) -> int | None:
        """The first lane in which one of those vets is free, and a room; with but one lane whatever is held is not."""
        held = self.held(start, but)
        for lane in range(LANES if overbook else 1):
            out = {resource for resource, held_in in held if held_in == lane or not overbook}
            if set(vets) - out and set(rooms or self.rooms) - out:
                return lane
        return None

    def ends(self, work: Coroutine[Any, Any, View], expected: str | None) -> View | None:
        """Run a use case, which must end with that code, or well."""
        view: View | None = None
        try:
            view, code = self.runner.run(work), None
        except DomainError as error:
            code = error.code
        assert code == expected
        return view

    def shown(self, visit_id: UUID) -> AppointmentView:
        """The visit as the agenda has it."""

        async def look() -> AppointmentView:
            async with self.begin(self.actor) as work:
                return await work.schedule_reads.appointment(visit_id)

        return self.runner.run(look())

    def goes(self, visit_id: UUID, start: int, vets: list[UUID], lane: int, *, overbook: bool, status: str) -> None:
        """A new visit, which may choose among vets and rooms, but only of those that are free."""
        view = self.shown(visit_id)
        vet, room = [each.id for each in view.resources]
        assert vet in vets
        assert self.fits({vet, room}, start, lane, overbook=overbook)
        self.visits.append(Modelled(view.id, vet, room, start, lane, status))

    def fits(self, resources: set[UUID], start: int, lane: int, *, overbook: bool, but: Modelled | None = None) -> bool:
        """Whether nobody has any of them then, in that lane or, unless it is overbooked, in any."""
        return not any(
            each in resources and (held_in == lane or not overbook) for each, held_in in self.held(start, but)
        )

    @rule(
        vet=st.integers(0, VETS - 1),
        room=st.none() | st.integers(0, ROOMS - 1),
        start=st.integers(0, STARTS - 1),
        overbook=st.booleans(),
    )
    def books(self, vet: int, room: int | None, start: int, overbook: bool) -> None:
        named = [self.vets[vet]]
        rooms = self.rooms if room is None else [self.rooms[room]]
        wanted = named if room is None else named + rooms
        command = NewAppointment(self.service, self.patient, wanted, at(start), overbook=overbook)
        lane = self.lane(start, named, rooms, overbook=overbook)
        view = self.ends(book(command, self.actor, self.begin, Still()), "slot_taken" if lane is None else None)
        if view is not None and lane is not None:
            self.goes(view.id, start, named, lane, overbook=overbook, status="confirmed")
            assert self.visits[-1].room in rooms

    @rule(vet=st.none() | st.integers(0, VETS - 1), start=st.integers(0, STARTS - 1))
    def asks(self, vet: int | None, start: int) -> None:
        """A guest, who names a vet or takes whoever is free."""
        named = None if vet is None else self.vets[vet]
        accepted = Shown(**shown("portal-terms"))
        command = NewVisit(
            self.service, at(start), named, None, None, "Ana", "Vera", "+593991234567", None, "Luna", "cat", accepted
        )

        async def register(_: Any) -> UUID:
            return self.patient

        vets = self.vets if named is None else [named]
        lane = self.lane(start, vets, overbook=False)
        asked = book_as_guest(command, register, self.actor, self.begin, Still())
        view = self.ends(asked, "slot_taken" if lane is None else None)
        if view is not None and lane is not None:
            self.goes(view.id, start, vets, lane, overbook=False, status="requested")

    @rule(vet=st.none() | st.integers(0, VETS - 1))
    def walks_in(self, vet: int | None) -> None:
        """Somebody who is seen as soon as a vet, or the one whom they name, is free."""
        vets = self.vets if vet is None else [self.vets[vet]]
        free = (start for start in range(LONGEST_WAIT) if self.lane(start, vets, overbook=False) is not None)
        start = next(free, None)
        command = WalkIn(self.service, self.patient, [] if vet is None else vets)
        expected = "no_time_soon" if start is None else None
        view = self.ends(walk_in(command, self.actor, self.begin, Still()), expected)
        if view is not None and start is not None:
            self.goes(view.id, start, vets, 0, overbook=False, status="checked_in")

    @rule(vet=st.integers(0, VETS - 1))
    def is_an_emergency(self, vet: int) -> None:
        """Somebody who is seen now, beside whoever is there."""
        named = [self.vets[vet]]
        lane = self.lane(0, named, overbook=True)
        command = WalkIn(self.service, self.patient, named, overbook=True)
        view = self.ends(walk_in(command, self.actor, self.begin, Still()), "slot_taken" if lane is None else None)
        if view is not None and lane is not None:
            self.goes(view.id, 0, named, lane, overbook=True, status="checked_in")

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def steps_on(self, data: st.DataObject) -> None:
        """Any step, but rather one that can be taken."""
        visit = data.draw(st.sampled_from(self.visits))
        every = sorted({step for _, step in FORWARD})
        possible = [step for status, step in FORWARD if status == visit.status]
        step = data.draw(st.sampled_from(possible or every) | st.sampled_from(every))
        target = FORWARD.get((visit.status, step))
        self.takes(visit, step, target, None if target else "invalid_transition")

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def steps_back(self, data: st.DataObject) -> None:
        """Any visit, but rather one that will not take place."""
        gone = [each for each in self.visits if each.status in GONE]
        visit = data.draw(st.sampled_from(gone or self.visits) | st.sampled_from(self.visits))
        target = visit.before if visit.status in GONE else BACK.get(visit.status)
        mine = {visit.vet, visit.room}
        lost = visit.status in GONE and not self.fits(mine, visit.start, visit.lane, overbook=True, but=visit)
        self.takes(visit, "back", target, "invalid_transition" if not target else "slot_taken" if lost else None)

    def takes(self, visit: Modelled, step: str, target: str | None, expected: str | None) -> None:
        done = take_step(visit.id, step, StepCommand(), self.actor, self.begin, Still())  # type: ignore[arg-type]
        if self.ends(done, expected) is not None:
            assert target is not None
            visit.before, visit.status = visit.status, target
            visit.steps.append(step)

    @precondition(lambda self: self.visits)
    @rule(
        data=st.data(),
        start=st.integers(0, STARTS - 1),
        vet=st.none() | st.integers(0, VETS - 1),
        overbook=st.booleans(),
    )
    def moves(self, data: st.DataObject, start: int, vet: int | None, overbook: bool) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        named = None if vet is None else [self.vets[vet]]
        command = Reschedule(at(start), resource_ids=UNSET if named is None else named, overbook=overbook)
        done = reschedule(visit.id, command, self.actor, self.begin, Still())
        movable = visit.status in {"requested", "confirmed"}
        self.places_anew(visit, "reschedule", done, movable, start, named or [visit.vet], overbook)

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), vet=st.integers(0, VETS - 1), overbook=st.booleans())
    def hands_over(self, data: st.DataObject, vet: int, overbook: bool) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        able = visit.status in {"requested", "confirmed", "checked_in", "in_exam"}
        command = Reassign([self.vets[vet]], overbook=overbook)
        done = reassign(visit.id, command, self.actor, self.begin, Still())
        self.places_anew(visit, "reassign", done, able, visit.start, [self.vets[vet]], overbook)

    def places_anew(
        self,
        visit: Modelled,
        step: str,
        done: Coroutine[Any, Any, AppointmentView],
        able: bool,
        start: int,
        vets: list[UUID],
        overbook: bool,
    ) -> None:
        """What becomes of a visit that is to go to a start and a vet; where its room is free there, it keeps it."""
        lane = self.lane(start, vets, overbook=overbook, but=visit)
        view = self.ends(done, "invalid_transition" if not able else "slot_taken" if lane is None else None)
        if view is None or lane is None:
            return
        vet, room = [each.id for each in view.resources]
        assert [vet] == vets
        assert self.fits({vet, room}, start, lane, overbook=overbook, but=visit)
        assert room == visit.room or not self.fits({visit.room}, start, lane, overbook=False, but=visit)
        visit.vet, visit.room, visit.start, visit.lane, visit.moves = vet, room, start, lane, visit.moves + 1
        visit.steps.append(step)

    @invariant()
    def agrees(self) -> None:
        """Every visit is where, and as, the model has it; its history tells each step, and only they hold time."""
        if self.visits:
            self.runner.run(self._agrees())

    async def _agrees(self) -> None:
        async with self.begin(self.actor) as work:
            shown = await work.schedule_reads.agenda(at(0), at(LONGEST_WAIT), None)
            histories = [await work.schedule_reads.history(visit.id) for visit in self.visits]
            held = await work.fetch("SELECT resource_id, starts_at, lane FROM allocations WHERE released_at IS NULL")
            former = await work.fetch("SELECT superseded_by_id AS id FROM appointments WHERE superseded_by_id <> id")
        assert {
            (
                each.id,
                each.status,
                *[resource.id for resource in each.resources],
                each.starts_at,
                each.lane,
                each.version,
            )
            for each in shown
        } == {
            (visit.id, visit.status, visit.vet, visit.room, at(visit.start), visit.lane, len(visit.steps))
            for visit in self.visits
        }
        assert [[each.step for each in history] for history in histories] == [visit.steps for visit in self.visits]
        assert sorted((row["resource_id"], row["starts_at"], row["lane"]) for row in held) == sorted(
            (resource, at(visit.start), visit.lane)
            for visit in self.visits
            if visit.status not in GONE
            for resource in (visit.vet, visit.room)
        )
        assert sorted(row["id"] for row in former) == sorted(
            visit.id for visit in self.visits for _ in range(visit.moves)
        )

    def teardown(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()


def at(start: int) -> datetime:
    """The instant of a start's number."""
    return NOON + timedelta(minutes=MINUTES * start)


def test_lives(database: Settings) -> None:
    """Whatever steps come, in whatever order, each ends as the model says, and the schedule is what the model has."""
    run_state_machine_as_test(
        lambda: Lives(database),
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.long
def test_long_lives(database: Settings) -> None:
    """As `test_lives`, for longer."""
    run_state_machine_as_test(
        lambda: Lives(database),
        settings=settings(
            max_examples=50, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
