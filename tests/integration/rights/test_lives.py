"""Random lives of rights requests on real PostgreSQL, beside a model that says how each step must end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID, uuid4

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coravet.adapters.calendars.holidays import EcuadorHolidays
from coravet.adapters.postgres.engine import make_engine
from coravet.bootstrap import Services, make_works
from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import DomainError
from coravet.core.patients.model import Client
from coravet.core.privacy.model import Right
from coravet.core.privacy.requests import (
    NewRightsRequest,
    RightsRequestChange,
    open_request,
    take_request_step,
)
from coravet.core.privacy.views import RightsRequestView
from coravet.settings import Settings

View = TypeVar("View")

HOLIDAYS = EcuadorHolidays()
MONDAY = datetime(2025, 6, 2, 15, tzinfo=UTC)
DUE = {"access": 14, "objection": 14, "suspension": 3, "correction": 14}
"""Days from that Monday on which each is due, there being no holiday in June."""

DETAILS: dict[str, dict[str, Any]] = {
    "prove_identity": {"method": "document_shown"},
    "ask": {"text": "¿Cuál?"},
    "clarify": {"text": "Esta."},
    "grant": {"outcome": "granted", "text": "Sí."},
    "refuse": {"outcome": "refused", "basis": "legal_duty", "text": "No."},
    "disbelieve": {"outcome": "refused", "basis": "identity_not_proven", "text": "No."},
    "execute": {},
    "close": {},
    "withdraw": {},
    "lift": {},
}
"""What may be tried; three of them are ways to decide."""


@dataclass
class Modelled:
    """A request as the model has it."""

    id: UUID
    right: Right
    steps: list[str] = field(default_factory=lambda: ["receive"])
    status: str = "received"
    refused: bool = False

    def may(self, step: str, day: int) -> bool:
        """Whether a step may be taken, so many days after receipt."""
        undecided = self.status in {"received", "identified"}
        executed = "execute" in self.steps
        return {
            "prove_identity": self.status == "received",
            "ask": undecided and "ask" not in self.steps and day <= 5,
            "clarify": undecided and "ask" in self.steps and "clarify" not in self.steps,
            "grant": self.status == "identified",
            "refuse": self.status == "identified" and self.right != "objection",
            "disbelieve": self.status == "received",
            "execute": self.status == "decided" and not self.refused,
            "close": self.status == "executed" or (self.status == "decided" and self.refused),
            "withdraw": undecided,
            "lift": self.right == "suspension" and executed and "lift" not in self.steps,
        }[step]

    def take(self, step: str) -> None:
        """Take it."""
        self.refused = self.refused or step in {"refuse", "disbelieve"}
        self.steps.append("decide" if step in {"grant", "refuse", "disbelieve"} else step)
        self.status = {
            "prove_identity": "identified",
            "grant": "decided",
            "refuse": "decided",
            "disbelieve": "decided",
            "execute": "executed",
            "close": "closed",
            "withdraw": "closed",
        }.get(step, self.status)


class Lives(RuleBasedStateMachine):
    """People who handle requests in whatever order comes to their minds, while days go by."""

    def __init__(self, on: Settings) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.settings = on
        self.engine = make_engine(on)
        self.works = make_works(on, self.engine)
        self.requests: list[Modelled] = []
        self.day = 0

    def now(self) -> datetime:
        """The clock."""
        return MONDAY + timedelta(days=self.day)

    @initialize()
    def open_clinic(self) -> None:
        self.runner.run(self._open())

    async def _open(self) -> None:
        made = await Services(self.works, self.settings).create_clinic(
            f"derechos-{token_hex(4)}", "Derechos", "America/Guayaquil", None
        )
        self.actor = Actor(clinic_id=made.id, time_zone="America/Guayaquil", user_id=None)
        async with self.works.begin(self.actor) as work:
            self.client = work.new_id()
            await work.clients.add(
                Client(made.id, self.client, "Ana", "Vera", None, None, None, None, "ana vera", MONDAY)
            )

    def ends(self, work: Coroutine[Any, Any, View], expected: str | None) -> View | None:
        """Run a use case, which must end with that code, or well."""
        view: View | None = None
        try:
            view, code = self.runner.run(work), None
        except DomainError as error:
            code = error.code
        assert code == expected
        return view

    @precondition(lambda self: len(self.requests) < 3)
    @rule(right=st.sampled_from(sorted(DUE)))
    def opens(self, right: Right) -> None:
        """A paper that came in on the Monday is written down, whatever day it is."""
        command = NewRightsRequest(right=right, asked="Mis datos", client_id=self.client, received_at=MONDAY)
        view = self.ends(open_request(command, self.actor, self.works.begin, self, HOLIDAYS), None)
        assert view is not None
        assert view.due_on == (MONDAY + timedelta(days=DUE[right])).date()
        self.requests.append(Modelled(view.id, right))

    @rule(days=st.integers(1, 4))
    def days_pass(self, days: int) -> None:
        self.day += days

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def steps_on(self, data: st.DataObject) -> None:
        """Any step, but rather one that may be taken; now and then by somebody who read an older version."""
        request = data.draw(st.sampled_from(self.requests))
        possible = [step for step in DETAILS if request.may(step, self.day)]
        step = data.draw(st.sampled_from(possible or sorted(DETAILS)) | st.sampled_from(sorted(DETAILS)))
        stale = data.draw(st.integers(0, 9)) == 0
        details = dict(DETAILS[step])
        if step == "execute" and request.right == "access":
            details["reference"] = uuid4()
        if step == "execute" and request.right == "correction":
            details["recipients_told"] = True
        word = "decide" if "outcome" in details else step
        version = len(request.steps) + (1 if stale else 0)
        command = RightsRequestChange(version=version, step=word, **details)  # type: ignore[arg-type]  # one of them
        expected = "stale_version" if stale else None if request.may(step, self.day) else "invalid_transition"
        done = take_request_step(request.id, command, self.actor, self.works.begin, self, HOLIDAYS)
        if self.ends(done, expected) is not None:
            request.take(step)

    @invariant()
    def agrees(self) -> None:
        """Each request is as the model has it, its register tells each step, and the client is marked as they say."""
        if self.requests:
            self.runner.run(self._agrees())

    async def _agrees(self) -> None:
        async with self.works.begin(self.actor) as work:
            views = [await work.request_reads.request(each.id, self.now()) for each in self.requests]
            client = await work.patient_reads.client(self.client)
        for view, request in zip(views, self.requests, strict=True):
            assert (view.status, view.version) == (request.status, len(request.steps))
            assert [each.step for each in view.steps] == request.steps
            assert view.due_on == _due(request.right)
            self._look(view)
        standing = [each for each in self.requests if each.right == "suspension" and "execute" in each.steps]
        assert (client.suspended_at is not None) == any("lift" not in each.steps for each in standing)

    def _look(self, view: RightsRequestView) -> None:
        """What holds of every request, whatever was done: identity first, and late for good once it is."""
        assert view.executed_at is None or view.identity is not None
        ended = view.closed_at or self.now()
        assert view.late == (ended.date() > view.due_on)

    def teardown(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()


def _due(right: Right) -> date:
    return (MONDAY + timedelta(days=DUE[right])).date()


def test_lives(database: Settings) -> None:
    """Whatever steps come, in whatever order and on whatever day, each ends as the model says."""
    run_state_machine_as_test(
        lambda: Lives(database),
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
