from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.fields import wall_text
from coravet.core.scheduling.availability import Candidate, Slot, open_for, slots
from coravet.core.scheduling.hours import Interval, Openings, WeeklySpan, working
from coravet.core.scheduling.model import LEADING_KINDS
from coravet.core.tenancy.clinic_day import DayBounds, bounds, instants, time_zone

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
GUAYAQUIL = time_zone("America/Guayaquil")
MONDAY = date(2026, 11, 23)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# Days of 23, 25, 24.5 and 24 hours, with the change by night or at midnight; a day that was skipped.
CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Havana", date(2026, 11, 1)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/Guayaquil", MONDAY),
]


class Times(msgspec.Struct, frozen=True):
    duration_minutes: int
    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0

    def visit(self, starts_at: datetime) -> Interval:
        return Interval(starts_at, starts_at + self.duration_minutes * MINUTE)

    def allocation(self, starts_at: datetime) -> Interval:
        told = self.visit(starts_at)
        return Interval(
            told.starts_at - self.buffer_before_minutes * MINUTE, told.ends_at + self.buffer_after_minutes * MINUTE
        )


class Case(msgspec.Struct, frozen=True):
    service: Times
    candidates: Mapping[str, Sequence[Candidate]]
    window: DayBounds
    grid_minutes: int
    not_before: datetime
    zone: ZoneInfo

    def slots(self) -> list[Slot]:
        return slots(
            self.service,
            self.candidates,
            self.window,
            grid_minutes=self.grid_minutes,
            not_before=self.not_before,
            zone=self.zone,
        )


def overlap(one: Interval, other: Interval) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def can_serve(candidate: Candidate, service: Times, starts_at: datetime) -> bool:
    """What a receptionist checks in the book: at work for the visit, and nothing else in its time or its buffers."""
    visit, holding = service.visit(starts_at), service.allocation(starts_at)
    at_work = any(each.starts_at <= visit.starts_at and visit.ends_at <= each.ends_at for each in candidate.open)
    return at_work and not any(overlap(each, holding) for each in candidate.busy)


def by_hand(case: Case) -> list[Slot]:
    """The slots of a case, found by trying every minute of the window."""
    leading = min(case.candidates, key=[str(kind) for kind in LEADING_KINDS].index)
    found = []
    minute = case.window.starts_at
    while minute < case.window.ends_at:
        wall = minute.astimezone(case.zone)
        if (wall.hour * 60 + wall.minute) % case.grid_minutes == 0 and minute >= case.not_before:
            able = {
                kind: tuple(each.id for each in some if can_serve(each, case.service, minute))
                for kind, some in case.candidates.items()
            }
            if all(able.values()):
                found.append(Slot(minute, able[leading]))
        minute += MINUTE
    return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A service, a few resources with hours and allocations, over one or two days about a change of the clock."""
    name, day = draw(st.sampled_from(CHANGES))
    zone = time_zone(name)
    day += draw(st.integers(-1, 1)) * DAY
    window = DayBounds(bounds(day, zone).starts_at, bounds(day + draw(st.integers(0, 1)) * DAY, zone).ends_at)
    texts = st.integers(0, 95).map(lambda quarter: wall_text(time(quarter // 4, quarter % 4 * 15)))
    weekdays = st.integers(day.isoweekday() - 1, day.isoweekday() + 1).map(lambda number: (number - 1) % 7 + 1)
    spans = st.lists(st.builds(WeeklySpan, weekdays, texts, texts), min_size=1, max_size=4)
    allocations = st.builds(
        lambda start, length: Interval(
            window.starts_at + (start - 120) * MINUTE, window.starts_at + (start - 120 + length) * MINUTE
        ),
        st.integers(0, 3000),
        st.integers(1, 240),
    )
    numbers = iter(range(1, 100))
    kinds = draw(st.lists(st.sampled_from(LEADING_KINDS), min_size=1, max_size=3, unique=True))
    candidates = {
        str(kind): [
            Candidate(
                UUID(int=next(numbers)),
                working(Openings(draw(spans)), day, day + 2 * DAY, zone),
                draw(st.lists(allocations, max_size=6)),
            )
            for _ in range(draw(st.integers(0 if len(kinds) > 1 else 1, 3)))
        ]
        for kind in kinds
    }
    service = draw(st.builds(Times, st.integers(5, 180), st.integers(0, 30), st.integers(0, 30)))
    not_before = window.starts_at + draw(st.integers(-600, 1500)) * MINUTE
    return Case(service, candidates, window, draw(st.sampled_from([5, 15, 20, 60, 240, 1440])), not_before, zone)


@given(cases())
def test_slots_are_those_found_by_hand(case: Case) -> None:
    """The slots are exactly those that trying every minute finds, with the same resources, in order."""
    assert case.slots() == by_hand(case)


@given(cases())
def test_slots_lie_in_hours_and_overlap_nothing(case: Case) -> None:
    """Every visit lies in its resource's hours, no allocation overlaps another, every start is on the grid."""
    known = {each.id: each for some in case.candidates.values() for each in some}
    found = case.slots()
    for slot in found:
        assert slot.resource_ids
        assert case.window.starts_at <= slot.starts_at < case.window.ends_at
        assert slot.starts_at >= case.not_before
        wall = slot.starts_at.astimezone(case.zone)
        assert slot.starts_at in instants(wall.date(), wall.time(), case.zone)
        assert (wall.hour * 60 + wall.minute) % case.grid_minutes == 0
        for resource_id in slot.resource_ids:
            assert open_for(known[resource_id].open, case.service.visit(slot.starts_at))
            assert not any(overlap(each, case.service.allocation(slot.starts_at)) for each in known[resource_id].busy)
    assert all(a.starts_at < b.starts_at for a, b in pairwise(found))


@given(cases(), st.randoms(use_true_random=False))
def test_slots_can_be_booked_until_none_is_left(case: Case, random: Random) -> None:
    """Whichever slot is booked, and then whichever is left, until none is: each visit finds its resources free."""
    busy = {each.id: list(each.busy) for some in case.candidates.values() for each in some}
    leading = min(case.candidates, key=[str(kind) for kind in LEADING_KINDS].index)
    booked = 0
    while found := case.slots():
        slot = random.choice(found)
        holding = case.service.allocation(slot.starts_at)
        taken = [random.choice(slot.resource_ids)]
        for kind, some in case.candidates.items():
            if kind != leading:
                taken.append(next(each.id for each in some if can_serve(each, case.service, slot.starts_at)))
        for resource_id in taken:
            assert not any(overlap(each, holding) for each in busy[resource_id])
            busy[resource_id].append(holding)
        candidates = {
            kind: [msgspec.structs.replace(each, busy=busy[each.id]) for each in some]
            for kind, some in case.candidates.items()
        }
        case = msgspec.structs.replace(case, candidates=candidates)
        booked += 1
        assert booked < 1000


VET, OTHER_VET, ROOM, SCALES = (UUID(int=number) for number in range(1, 5))


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    """An instant by the wall clock of Guayaquil, in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) + timedelta(hours=5)


def during(start: tuple[int, int], end: tuple[int, int]) -> Interval:
    return Interval(at(*start), at(*end))


MORNING = [during((9, 0), (11, 0))]


def monday(service: Times, *, grid: int = 30, not_before: datetime = LONG_AGO, **some: list[Candidate]) -> list[Slot]:
    return Case(service, some, bounds(MONDAY, GUAYAQUIL), grid, not_before, GUAYAQUIL).slots()


def starts(found: list[Slot]) -> list[str]:
    return [slot.starts_at.astimezone(GUAYAQUIL).strftime("%H:%M") for slot in found]


def test_visit_fits_between_opening_and_closing() -> None:
    """A visit may begin at the opening and end at the closing, to the minute; its buffers may lie outside."""
    found = monday(Times(30, 15, 15), vet=[Candidate(VET, MORNING, [])])
    assert starts(found) == ["09:00", "09:30", "10:00", "10:30"]
    assert starts(monday(Times(120), vet=[Candidate(VET, MORNING, [])])) == ["09:00"]
    assert starts(monday(Times(121), vet=[Candidate(VET, MORNING, [])])) == []


def test_buffers_touch_allocations_and_never_overlap() -> None:
    """A visit's buffers may end where an allocation begins, and begin where one ends, but not reach into it."""
    fits = [Candidate(VET, MORNING, [during((8, 0), (9, 20)), during((10, 10), (11, 0))])]
    assert starts(monday(Times(30, 10, 10), vet=fits)) == ["09:30"]
    assert starts(monday(Times(30, 11, 10), vet=fits)) == []
    assert starts(monday(Times(30, 10, 11), vet=fits)) == []


def test_vets_lead() -> None:
    """Each slot names every vet who can serve it, in the order given, and no room."""
    vets = [Candidate(OTHER_VET, MORNING, [during((9, 30), (11, 0))]), Candidate(VET, MORNING, [])]
    found = monday(Times(60), grid=60, vet=vets, room=[Candidate(ROOM, MORNING, [])])
    assert found == [Slot(at(9), (VET,)), Slot(at(10), (VET,))]
    found = monday(Times(30), grid=60, room=[Candidate(ROOM, MORNING, [])], vet=vets)
    assert found == [Slot(at(9), (OTHER_VET, VET)), Slot(at(10), (VET,))]


def test_rooms_lead_equipment() -> None:
    """A service without vets is led by its rooms, and one with neither by its equipment."""
    room, scales = [Candidate(ROOM, MORNING, [])], [Candidate(SCALES, MORNING, [])]
    assert monday(Times(120), equipment=scales, room=room) == [Slot(at(9), (ROOM,))]
    assert monday(Times(120), equipment=scales) == [Slot(at(9), (SCALES,))]


def test_every_kind_is_needed_for_the_whole_visit() -> None:
    """A vet without a room for the whole visit makes no slot, be the room taken, shut, or not there at all."""
    vet = [Candidate(VET, MORNING, [])]
    half_taken = Candidate(ROOM, MORNING, [during((9, 45), (10, 0))])
    shut_at_ten = Candidate(SCALES, [during((9, 0), (10, 0))], [])
    assert starts(monday(Times(60), vet=vet, room=[half_taken])) == ["10:00"]
    assert starts(monday(Times(60), vet=vet, room=[shut_at_ten])) == ["09:00"]
    assert starts(monday(Times(60), vet=vet, room=[half_taken, shut_at_ten])) == ["09:00", "10:00"]
    assert starts(monday(Times(60), vet=vet, room=[])) == []


def test_half_a_room_each_is_no_room() -> None:
    """Two rooms free for one half of the visit each do not make one room."""
    rooms = [
        Candidate(ROOM, MORNING, [during((9, 0), (9, 30))]),
        Candidate(SCALES, MORNING, [during((9, 30), (11, 0))]),
    ]
    assert starts(monday(Times(60), vet=[Candidate(VET, [during((9, 0), (10, 0))], [])], room=rooms)) == []


def test_not_before() -> None:
    """No slot starts before the given instant; one may start at it."""
    vet = [Candidate(VET, MORNING, [])]
    assert starts(monday(Times(30), not_before=at(9, 30), vet=vet)) == ["09:30", "10:00", "10:30"]
    assert starts(monday(Times(30), not_before=at(9, 31), vet=vet)) == ["10:00", "10:30"]
    assert starts(monday(Times(30), not_before=at(9, day=25), vet=vet)) == []


def test_grid_counts_from_midnight() -> None:
    """The grid is the wall clock's, whenever opening falls."""
    vet = [Candidate(VET, [during((9, 10), (10, 30))], [])]
    assert starts(monday(Times(15), grid=20, vet=vet)) == ["09:20", "09:40", "10:00"]


@pytest.mark.parametrize("grid", [0, -15, 7, 1441, 2880])
def test_grid_divides_a_day(grid: int) -> None:
    """A grid that does not divide a day would differ from day to day, and is refused."""
    with pytest.raises(ValueError, match="divide a day"):
        monday(Times(30), grid=grid, vet=[])


def test_kinds_are_known() -> None:
    """A service that needs nothing, or a kind that nobody knows, is a mistake and not a clinic without slots."""
    with pytest.raises(ValueError, match="kind"):
        monday(Times(30))
    with pytest.raises(ValueError, match="kind"):
        monday(Times(30), vet=[], kennel=[])


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Europe/Madrid", date(2026, 3, 29), ["00:00", "01:00", "03:00", "04:00"]),
        ("Europe/Madrid", date(2026, 10, 25), ["00:00", "01:00", "02:00", "02:00", "03:00", "04:00"]),
        ("America/Santiago", date(2026, 9, 6), ["01:00", "02:00", "03:00", "04:00"]),
        ("America/Havana", date(2026, 11, 1), ["00:00", "00:00", "01:00", "02:00", "03:00", "04:00"]),
        ("Pacific/Apia", date(2011, 12, 30), []),
        ("America/Guayaquil", MONDAY, ["00:00", "01:00", "02:00", "03:00", "04:00"]),
    ],
)
def test_nights_of_changing_clocks(zone: str, day: date, expected: list[str]) -> None:
    """A wall time that is skipped has no slot; one that comes twice has both."""
    place = time_zone(zone)
    spans = [WeeklySpan(weekday, "00:00", "05:00") for weekday in range(1, 8)]
    vet = Candidate(VET, working(Openings(spans), day, day, place), [])
    found = Case(Times(60), {"vet": [vet]}, bounds(day, place), 60, LONG_AGO, place).slots()
    assert [slot.starts_at.astimezone(place).strftime("%H:%M") for slot in found] == expected
    assert len({slot.starts_at for slot in found}) == len(expected)


def test_open_for() -> None:
    """A visit is within hours if one stretch holds all of it; two that leave a gap do not."""
    hours = [during((9, 0), (11, 0)), during((11, 30), (13, 0))]
    assert open_for(hours, during((9, 0), (11, 0)))
    assert open_for(hours, during((12, 0), (12, 30)))
    assert not open_for(hours, during((8, 59), (9, 30)))
    assert not open_for(hours, during((12, 30), (13, 1)))
    assert not open_for(hours, during((10, 30), (12, 0)))
    assert not open_for([], during((9, 0), (9, 30)))
