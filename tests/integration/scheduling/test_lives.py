"""Random lives of visits on real PostgreSQL, beside a model of a few lines that says how each step must end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any
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

from coravet.adapters.postgres.engine import make_engine
from coravet.bootstrap import Services, make_works
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import DomainError
from coravet.core.patients.model import Client, Party, Patient
from coravet.core.scheduling.book import NewAppointment, book
from coravet.core.scheduling.catalogue import NewResource, NewService, add_resource, offer_service
from coravet.core.scheduling.hours import WeeklySpan
from coravet.core.scheduling.move import Reassign, Reschedule, reassign, reschedule
from coravet.core.scheduling.openings import Hours, set_hours
from coravet.core.scheduling.transition import StepCommand, take_step
from coravet.core.scheduling.views import AppointmentView
from coravet.settings import Settings

VETS, STARTS = 2, 4
MINUTES = 30
NOON = datetime(2031, 3, 3, 17, tzinfo=UTC)

FORWARD = {
    ("requested", "confirm"): "confirmed",
    ("confirmed", "check-in"): "checked_in",
    ("checked_in", "start"): "in_exam",
    ("in_exam", "ready"): "ready",
    ("ready", "complete"): "completed",
    ("confirmed", "cancel"): "cancelled",
    ("confirmed", "no-show"): "no_show",
}
BACK = {
    "checked_in": "confirmed",
    "in_exam": "checked_in",
    "ready": "in_exam",
    "completed": "ready",
    "cancelled": "confirmed",
    "no_show": "confirmed",
}
GONE = {"cancelled", "no_show"}


class Still:
    """A clock that is told the time."""

    def now(self) -> datetime:
        return NOON - timedelta(days=1)


@dataclass
class Modelled:
    """A visit as the model has it: who serves it (a vet's number), when (a start's number), and its steps so far."""

    id: UUID
    vet: int
    start: int
    status: str = "confirmed"
    steps: list[str] = field(default_factory=lambda: ["book"])
    moves: int = 0


class Lives(RuleBasedStateMachine):
    """Receptionists who do whatever comes to their minds, one after the other."""

    def __init__(self, on: Settings) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = make_engine(on)
        self.works = make_works(on, self.engine)
        self.begin = self.works.begin
        self.visits: list[Modelled] = []

    @initialize()
    def open_clinic(self) -> None:
        self.runner.run(self._open())

    async def _open(self) -> None:
        services = Services(self.works)
        made = await services.create_clinic(f"vidas-{token_hex(4)}", "Vidas", "America/Guayaquil", None)
        permissions = frozenset({"agenda:write", "clinic:configure"})
        self.actor = Actor(clinic_id=made.id, time_zone="America/Guayaquil", user_id=None, permissions=permissions)
        spans = Hours([WeeklySpan(day, "00:00", "00:00") for day in range(1, 8)])
        self.vets = []
        for number in range(VETS):
            vet = await add_resource(NewResource("vet", f"Vet {number}"), self.actor, self.begin)
            await set_hours(vet.id, spans, self.actor, self.begin, Still())
            self.vets.append(vet.id)
        offered = NewService("Consulta", MINUTES, list(self.vets))
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

    def taken(self, vet: int, start: int, but: Modelled | None = None) -> bool:
        """Whether the model has somebody at that vet's time."""
        return any(
            each is not but and each.status not in GONE and (each.vet, each.start) == (vet, start)
            for each in self.visits
        )

    def ends(self, work: Coroutine[Any, Any, AppointmentView], expected: str | None) -> AppointmentView | None:
        """Run a use case, which must end with that code, or well."""
        view: AppointmentView | None = None
        try:
            view, code = self.runner.run(work), None
        except DomainError as error:
            code = error.code
        assert code == expected
        return view

    @rule(vet=st.integers(0, VETS - 1), start=st.integers(0, STARTS - 1))
    def books(self, vet: int, start: int) -> None:
        command = NewAppointment(self.service, self.patient, [self.vets[vet]], at(start))
        expected = "slot_taken" if self.taken(vet, start) else None
        view = self.ends(book(command, self.actor, self.begin, Still()), expected)
        if view is not None:
            self.visits.append(Modelled(view.id, vet, start))

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), step=st.sampled_from(sorted({step for _, step in FORWARD})))
    def steps_on(self, data: st.DataObject, step: str) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        target = FORWARD.get((visit.status, step))
        self.takes(visit, step, target, None if target else "invalid_transition")

    @precondition(lambda self: self.visits)
    @rule(data=st.data())
    def steps_back(self, data: st.DataObject) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        target = BACK.get(visit.status)
        lost = visit.status in GONE and self.taken(visit.vet, visit.start)
        self.takes(visit, "back", target, "invalid_transition" if not target else "slot_taken" if lost else None)

    def takes(self, visit: Modelled, step: str, target: str | None, expected: str | None) -> None:
        done = take_step(visit.id, step, StepCommand(), self.actor, self.begin, Still())  # type: ignore[arg-type]
        if self.ends(done, expected) is not None:
            assert target is not None
            visit.status = target
            visit.steps.append(step)

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), start=st.integers(0, STARTS - 1), vet=st.none() | st.integers(0, VETS - 1))
    def moves(self, data: st.DataObject, start: int, vet: int | None) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        command = Reschedule(at(start)) if vet is None else Reschedule(at(start), resource_ids=[self.vets[vet]])
        goes_to = visit.vet if vet is None else vet
        movable = visit.status == "confirmed"
        taken = self.taken(goes_to, start, but=visit)
        expected = "invalid_transition" if not movable else "slot_taken" if taken else None
        if self.ends(reschedule(visit.id, command, self.actor, self.begin, Still()), expected) is not None:
            visit.vet, visit.start, visit.moves = goes_to, start, visit.moves + 1
            visit.steps.append("reschedule")

    @precondition(lambda self: self.visits)
    @rule(data=st.data(), vet=st.integers(0, VETS - 1))
    def hands_over(self, data: st.DataObject, vet: int) -> None:
        visit = data.draw(st.sampled_from(self.visits))
        able = visit.status in {"confirmed", "checked_in", "in_exam"}
        taken = self.taken(vet, visit.start, but=visit)
        expected = "invalid_transition" if not able else "slot_taken" if taken else None
        command = Reassign([self.vets[vet]])
        if self.ends(reassign(visit.id, command, self.actor, self.begin, Still()), expected) is not None:
            visit.vet, visit.moves = vet, visit.moves + 1
            visit.steps.append("reassign")

    @invariant()
    def agrees(self) -> None:
        """Every visit is where, and as, the model has it; its history tells each step, and only they hold time."""
        if self.visits:
            self.runner.run(self._agrees())

    async def _agrees(self) -> None:
        async with self.begin(self.actor) as work:
            shown = await work.schedule_reads.agenda(at(0), at(STARTS), None)
            histories = [await work.schedule_reads.history(visit.id) for visit in self.visits]
            held = await work.fetch("SELECT resource_id, starts_at FROM allocations WHERE released_at IS NULL")
            former = await work.fetch("SELECT superseded_by_id AS id FROM appointments WHERE superseded_by_id <> id")
        assert {(each.id, each.status, each.resources[0].id, each.starts_at, each.version) for each in shown} == {
            (visit.id, visit.status, self.vets[visit.vet], at(visit.start), len(visit.steps)) for visit in self.visits
        }
        assert [[each.step for each in history] for history in histories] == [visit.steps for visit in self.visits]
        assert sorted((row["resource_id"], row["starts_at"]) for row in held) == sorted(
            (self.vets[visit.vet], at(visit.start)) for visit in self.visits if visit.status not in GONE
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
            max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
