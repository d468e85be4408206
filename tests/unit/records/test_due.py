"""Which recalls follow from the doses that a patient had."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hypothesis import given as having
from hypothesis import strategies as st

from coravet.core.kernel.actor import ClinicId
from coravet.core.messaging.model import Recall
from coravet.core.records.due import Awaited, called, settle, standing
from coravet.core.records.protocols import SHIPPED
from coravet.core.records.treatment_ports import Given

ZONE = ZoneInfo("America/Guayaquil")
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
ENTRIES = [entry for entry in SHIPPED if entry.kind == "vaccine" and entry.species == "dog"]


def _dose(at: datetime = NOW, *covers: str, due: date | None = date(2027, 3, 2)) -> Given:
    codes = list(covers or ("rabies",))
    return Given(uuid4(), "Rabia", codes, at, [due] * len(codes))


def _awaited(given: list[Given]) -> list[Given]:
    return [each.dose for each in standing(given).values()]


def _recall(due_on: date, note: str | None = None, source_id: UUID | None = None) -> Recall:
    return Recall(
        clinic_id=ClinicId(UUID(int=1)),
        id=uuid4(),
        patient_id=UUID(int=2),
        kind="vaccine_due",
        due_on=due_on,
        due_at=datetime(due_on.year, due_on.month, due_on.day, 14, tzinfo=UTC),
        note=note,
        created_at=NOW - timedelta(days=200),
        source_id=source_id,
    )


def test_the_next_one() -> None:
    """A dose ends the recall of the one before and needs one itself."""
    first, second = _dose(NOW - timedelta(days=365), due=date(2026, 3, 2)), _dose()
    recall = _recall(date(2026, 3, 2), source_id=first.id)
    assert settle([recall], [first, second], ENTRIES, NOW, ZONE) == [Awaited(second, date(2027, 3, 2), ["rabies"])]
    assert (recall.closed_at, recall.settled_by) == (NOW, second.id)


def test_history() -> None:
    """An old dose that is written down late ends nothing and recalls nobody."""
    old, last = _dose(NOW - timedelta(days=365), due=date(2026, 3, 2)), _dose()
    recall = _recall(date(2027, 3, 2), source_id=last.id)
    assert settle([recall], [old, last], ENTRIES, NOW, ZONE) == []
    assert recall.closed_at is None


def test_void() -> None:
    """Without the dose that ended it, a recall is open again, and the void dose's own is closed."""
    first, second = _dose(NOW - timedelta(days=365), due=date(2026, 3, 2)), _dose()
    before, after = _recall(date(2026, 3, 2), source_id=first.id), _recall(date(2027, 3, 2), source_id=second.id)
    before.closed_at, before.settled_by = NOW, second.id
    assert settle([before, after], [first], ENTRIES, NOW, ZONE) == []
    assert (before.closed_at, before.settled_by) == (None, None)
    assert after.closed_at == NOW


def test_what_people_closed_stays_closed() -> None:
    """Only what a dose settled opens again."""
    dose = _dose()
    recall = _recall(date(2027, 3, 2), source_id=dose.id)
    recall.closed_at = NOW
    assert settle([recall], [dose], ENTRIES, NOW, ZONE) == []
    assert recall.closed_at == NOW


def test_combined() -> None:
    """A combined vaccine is awaited while it is the last dose of anything that it covers."""
    combined = _dose(NOW - timedelta(days=30), "canine_core", "leptospirosis")
    single = _dose(NOW, "leptospirosis")
    assert _awaited([combined, single]) == [combined, single]
    whole = _dose(NOW + timedelta(days=1), "canine_core", "leptospirosis")
    assert _awaited([combined, single, whole]) == [whole]


def test_a_part_of_a_combined_one() -> None:
    """What falls due on another day is another recall: a booster of the one part ends that alone."""
    yearly, later = date(2027, 3, 2), date(2029, 3, 2)
    combined = Given(uuid4(), "Séxtuple", ["canine_core", "leptospirosis"], NOW - timedelta(days=365), [later, yearly])
    needed = settle([], [combined], ENTRIES, NOW, ZONE)
    assert [(each.due_on, called(each, ENTRIES)) for each in needed] == [
        (later, "Moquillo, parvovirus y hepatitis"),
        (yearly, "Leptospirosis"),
    ]
    recalls = [_recall(each.due_on, source_id=combined.id) for each in needed]
    booster = _dose(NOW, "leptospirosis", due=date(2028, 3, 2))
    [new] = settle(recalls, [combined, booster], ENTRIES, NOW, ZONE)
    assert (new.dose, called(new, ENTRIES)) == (booster, "Rabia")
    assert [recall.settled_by for recall in recalls] == [None, booster.id]
    assert settle(recalls, [combined], ENTRIES, NOW, ZONE) == []
    assert [recall.closed_at for recall in recalls] == [None, None]


def test_recalls_by_staff() -> None:
    """One that names a vaccine is ended by that vaccine; one that names none by any, about its day."""
    soon, far = date(2026, 3, 20), date(2026, 9, 1)
    rabies, other = _recall(far, "Antirrábica"), _recall(soon, "Bordetella")
    unnamed, later = _recall(soon), _recall(far, "llamar por la tarde")
    dose = _dose(NOW, due=None)
    recalls = [rabies, other, unnamed, later]
    assert settle(recalls, [dose], ENTRIES, NOW, ZONE) == []
    assert [recall.settled_by for recall in recalls] == [dose.id, None, dose.id, None]
    assert settle(recalls, [], ENTRIES, NOW, ZONE) == []
    assert [recall.closed_at for recall in recalls] == [None] * 4


def test_a_dose_from_before_answers_nothing() -> None:
    """A dose of years ago that is written down now is not what staff asked for."""
    recall = _recall(date(2026, 3, 20), "Antirrábica")
    settle([recall], [_dose(NOW - timedelta(days=900), due=None)], ENTRIES, NOW, ZONE)
    assert recall.closed_at is None


STEPS = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(0, 1000),
        st.sets(st.sampled_from(["rabies", "canine_core", "leptospirosis"]), min_size=1),
        st.lists(st.sampled_from([None, 28, 365]), min_size=3, max_size=3),
    ),
    max_size=12,
)


@having(STEPS)
def test_open_recalls_are_the_standing_doses(steps: list[tuple[bool, int, set[str], list[int | None]]]) -> None:
    """Whatever is recorded and voided in whatever order, the open recalls are those of the doses that stand."""
    doses: list[Given] = []
    recalls: list[Recall] = []
    for void, number, covers, due in steps:
        if void and doses:
            doses.pop(number % len(doses))
        else:
            at = NOW + timedelta(days=number)
            days = [None if after is None else at.date() + timedelta(days=after) for after in due[: len(covers)]]
            doses.append(Given(uuid4(), "Vacuna", sorted(covers), at, days))
        doses.sort(key=lambda dose: (dose.administered_at, dose.id))
        needed = settle(recalls, doses, ENTRIES, NOW, ZONE)
        recalls += [_recall(each.due_on, source_id=each.dose.id) for each in needed]
        still_open = {(recall.source_id, recall.due_on) for recall in recalls if recall.closed_at is None}
        assert still_open == set(standing(doses))
        assert len({(recall.source_id, recall.due_on) for recall in recalls}) == len(recalls)
        assert settle(recalls, doses, ENTRIES, NOW, ZONE) == []
