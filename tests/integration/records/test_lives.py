"""Random lives of encounters on real PostgreSQL, beside a model of a few lines that says how each step must end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, TypeVar
from uuid import UUID, uuid4

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
from tests.integration.http.service import superuser

from coravet.adapters.postgres.engine import make_engine
from coravet.bootstrap import Services, make_works
from coravet.core.kernel.actor import Actor, MemberId, UserId
from coravet.core.kernel.errors import DomainError
from coravet.core.patients.clients import NewClient, register_client
from coravet.core.patients.patients import NewPatient, register_patient
from coravet.core.records.encounters import (
    Editor,
    EncounterChange,
    NewEncounter,
    Note,
    Voiding,
    open_encounter,
    void_encounter,
    write_encounter,
)
from coravet.core.records.problems import NewProblem, note_problem
from coravet.core.records.signing import NewAddendum, Signing, addend, sign_encounter
from coravet.core.records.views import EncounterView
from coravet.settings import Settings

View = TypeVar("View")
NOON = datetime(2031, 3, 3, 17, tzinfo=UTC)
FORMS = 2


class Ticking:
    """A clock that goes on by a minute whenever it is looked at."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now


@dataclass
class Form:
    """A form in which somebody types: which version it saw, and the number of its last write."""

    id: UUID = field(default_factory=uuid4)
    seen: int = 1
    sequence: int = 0
    lost: bool = False


@dataclass
class Modelled:
    """An encounter as the model has it.

    Attributes:
        run: the form that wrote last, and since which version nobody else did.
    """

    id: UUID
    version: int = 1
    plan: str | None = None
    state: str = "draft"
    addenda: int = 0
    diagnoses: int = 0
    aside: set[str] = field(default_factory=set)
    run: tuple[UUID, int] | None = None
    forms: list[Form] = field(default_factory=lambda: [Form() for _ in range(FORMS)])
    sealed: EncounterView | None = None


class Lives(RuleBasedStateMachine):
    """Vets who write, lose answers, sign, add and correct, in whatever order."""

    def __init__(self, on: Settings) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.settings = on
        self.engine = make_engine(on)
        self.begin = make_works(on, self.engine).begin
        self.clock = Ticking()
        self.all: list[Modelled] = []
        self.texts = 0

    @initialize()
    def open_clinic(self) -> None:
        self.runner.run(self._open())

    async def _open(self) -> None:
        works = make_works(self.settings, self.engine)
        made = await Services(works, self.settings).create_clinic(
            f"notas-{token_hex(4)}", "Notas", "America/Guayaquil", None
        )
        user, member = uuid4(), uuid4()
        async with superuser(self.settings) as admin:
            await admin.execute(
                "INSERT INTO users (id, firebase_uid, email, display_name) VALUES ($1, $2, $3, 'Prueba')",
                user,
                user.hex,
                f"{user.hex}@correo.test",
            )
            await admin.execute(
                "INSERT INTO members (clinic_id, id, user_id, roles, active, registration_number, version)"
                " VALUES ($1, $2, $3, '{vet}', true, 'TEST-1', 1)",
                made.id,
                member,
                user,
            )
        self.actor = Actor(
            clinic_id=made.id,
            time_zone="America/Guayaquil",
            user_id=UserId(user),
            member_id=MemberId(member),
            permissions=frozenset({"records:write"}),
        )
        numbers: Any = None  # no number is given
        person = NewClient(given_name="Prueba", family_name="Vera")
        client = await register_client(person, self.actor, self.begin, self.clock, numbers)
        animal = NewPatient(client_id=client.id, name="Luna", species="cat")
        self.patient = (await register_patient(animal, self.actor, self.begin, self.clock)).id

    def ends(self, work: Coroutine[Any, Any, View], expected: str | None) -> View | None:
        """Run a use case, which must end with that code, or well."""
        view: View | None = None
        try:
            view, code = self.runner.run(work), None
        except DomainError as error:
            code = error.code
        assert code == expected
        return view

    def one(self, which: int) -> Modelled:
        return self.all[which % len(self.all)]

    @rule()
    @precondition(lambda self: len(self.all) < 3)
    def opens(self) -> None:
        view = self.ends(
            open_encounter(NewEncounter(self.patient, "Control"), self.actor, self.begin, self.clock), None
        )
        assert view is not None
        self.all.append(Modelled(view.id))

    @rule(which=st.integers(0, 2), form=st.integers(0, FORMS - 1), answered=st.booleans(), repeats=st.booleans())
    @precondition(lambda self: self.all)
    def types(self, which: int, form: int, answered: bool, repeats: bool) -> None:
        """Somebody types on in a form; the answer may be lost, and the write may arrive twice."""
        encounter = self.one(which)
        writes = encounter.forms[form]
        self.texts += 1
        text = f"texto {self.texts}"
        writes.sequence += 1
        change = EncounterChange(version=writes.seen, note=Note(plan=text), editor=Editor(writes.id, writes.sequence))
        if encounter.state != "draft":
            expected = "invalid_transition"
        elif writes.seen == encounter.version or (
            encounter.run is not None and encounter.run[0] == writes.id and writes.seen >= encounter.run[1]
        ):
            expected = None
            if encounter.run is None or encounter.run[0] != writes.id:
                encounter.run = (writes.id, encounter.version)
            encounter.version += 1
            encounter.plan = text
        else:
            expected = "stale_version"
        for _ in range(1 + repeats):
            self.ends(write_encounter(encounter.id, change, self.actor, self.begin, self.clock), expected)
        if expected is not None:
            encounter.aside.add(text)
        if answered:
            writes.seen = encounter.version

    @rule(which=st.integers(0, 2), form=st.integers(0, FORMS - 1))
    @precondition(lambda self: self.all)
    def looks(self, which: int, form: int) -> None:
        """A form is loaded anew."""
        encounter = self.one(which)
        encounter.forms[form].seen = encounter.version

    @rule(which=st.integers(0, 2), read=st.booleans())
    @precondition(lambda self: self.all)
    def signs(self, which: int, read: bool) -> None:
        encounter = self.one(which)
        version = encounter.version if read else max(1, encounter.version - 1)
        expected: str | None = None
        if encounter.state != "draft":
            expected = "invalid_transition"
        elif version != encounter.version:
            expected = "stale_version"
        elif encounter.plan is None:
            expected = "invalid"
        view = self.ends(sign_encounter(encounter.id, Signing(version), self.actor, self.begin, self.clock), expected)
        if view is not None and encounter.state == "draft":
            encounter.state, encounter.version, encounter.sealed = "signed", encounter.version + 1, view

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.all)
    def adds(self, which: int) -> None:
        encounter = self.one(which)
        expected = None if encounter.state == "signed" else "invalid_transition"
        self.ends(addend(encounter.id, NewAddendum("Más"), self.actor, self.begin, self.clock), expected)
        if expected is None:
            encounter.version += 1
            encounter.addenda += 1

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.all)
    def diagnoses(self, which: int) -> None:
        encounter = self.one(which)
        expected = None if encounter.state == "draft" else "invalid_transition"
        found = NewProblem("Otitis", encounter_id=encounter.id)
        self.ends(note_problem(self.patient, found, self.actor, self.begin, self.clock), expected)
        encounter.diagnoses += expected is None

    @rule(which=st.integers(0, 2))
    @precondition(lambda self: self.all)
    def corrects(self, which: int) -> None:
        encounter = self.one(which)
        expected = "invalid_transition" if encounter.state == "voided" else None
        self.ends(void_encounter(encounter.id, Voiding("Error"), self.actor, self.begin, self.clock), expected)
        if expected is None:
            encounter.state, encounter.version = "voided", encounter.version + 1

    @invariant()
    def as_modelled(self) -> None:
        """Each stands as the model has it, what was signed as it was signed, and no text that was typed is lost."""
        for encounter in self.all:
            view = self.runner.run(self._look(encounter.id))
            assert (view.state, view.version, view.note.plan) == (encounter.state, encounter.version, encounter.plan)
            assert len(view.addenda) == encounter.addenda
            assert len(view.diagnoses) == encounter.diagnoses
            assert {each.note.plan for each in view.set_aside} == encounter.aside
            if encounter.sealed is not None:
                kept = encounter.sealed
                assert (view.note, view.vitals, view.diagnoses) == (kept.note, kept.vitals, kept.diagnoses)
                assert view.signature == kept.signature

    async def _look(self, encounter_id: UUID) -> EncounterView:
        async with self.begin(self.actor) as work:
            return await work.record_reads.encounter(encounter_id)

    def teardown(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()


@pytest.mark.long
def test_lives(database: Settings) -> None:
    """However vets write, sign and correct, each step ends as the model says, and nothing signed changes."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis' own
        lambda: Lives(database),
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
