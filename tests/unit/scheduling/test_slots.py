"""Free starts from all the rules of a clinic: weekly hours that hold for a time, days that differ, closures, guests."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from coravet.core.kernel.fields import wall_text, wall_time
from coravet.core.scheduling.availability import Slot, open_for
from coravet.core.scheduling.hours import (
    Closing,
    DaySpan,
    Interval,
    Openings,
    WeeklySpan,
    check_day,
    check_spans,
    shut,
    working,
)
from coravet.core.scheduling.place import choose, holding_of, span_of
from coravet.core.scheduling.ports import Held, Offer, Plan
from coravet.core.scheduling.slots import free, guests, reach
from coravet.core.tenancy.clinic_day import DayBounds, bounds, day_of, stretches, time_zone

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
GUAYAQUIL = time_zone("America/Guayaquil")
MADRID = time_zone("Europe/Madrid")
MONDAY = date(2026, 11, 23)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
VET, OTHER_VET, ROOM, OTHER_ROOM = (UUID(int=number) for number in range(1, 5))
ZONES = sorted(available_timezones() - {"Factory", "localtime"})

# Days of 23, 25 and 24.5 hours, days without a midnight, a day with two, a day that was skipped.
CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Havana", date(2026, 11, 1)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/St_Johns", date(2010, 11, 7)),
]


class Clinic(NamedTuple):
    """A clinic's rules over a few days, and what is taken."""

    zone: ZoneInfo
    first: date
    last: date
    offer: Offer
    openings: dict[UUID, Openings]
    held: list[Held]

    @property
    def window(self) -> DayBounds:
        return DayBounds(bounds(self.first, self.zone).starts_at, bounds(self.last, self.zone).ends_at)

    def free(self, held: list[Held] | None = None, not_before: datetime = LONG_AGO) -> list[Slot]:
        plan = Plan(self.offer, self.openings)
        days = self.first, self.last
        return free(plan, self.held if held is None else held, days, self.window, not_before=not_before, zone=self.zone)


def in_rules(rules: Openings, instant: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock on the wall, looked at then, shows a time at which the resource works."""
    wall = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    for closing in rules.closures:
        begins = datetime.combine(closing.starts_on, wall_time(closing.from_time or "00:00"))
        ends = (
            datetime.combine(closing.ends_on + DAY, time())
            if closing.to_time is None
            else datetime.combine(closing.ends_on, wall_time(closing.to_time))
        )
        if begins <= wall < ends:
            return False
    for day in (wall.date() - DAY, wall.date()):
        spans: list[DaySpan | WeeklySpan] = []
        if day in rules.exceptions:
            spans += rules.exceptions[day]
        else:
            spans += [
                span
                for span in rules.weekly
                if span.weekday == day.isoweekday()
                and (span.valid_from or date.min) <= day <= (span.valid_until or date.max)
            ]
        for span in spans:
            opens, closes = wall_time(span.opens), wall_time(span.closes)
            begins = datetime.combine(day, opens)
            ends = datetime.combine(day if closes > opens else day + DAY, closes)
            if begins <= wall < ends:
                return True
    return False


texts = st.integers(0, 95).map(lambda quarter: wall_text(time(quarter // 4, quarter % 4 * 15)))


@st.composite
def rules(draw: st.DrawFn, about: date) -> Openings:
    """Weekly hours, seasons, days that differ and closures, about a day."""
    days = st.integers(-3, 4).map(lambda number: about + number * DAY)
    limits = st.one_of(st.none(), days)
    weekly = st.builds(WeeklySpan, st.integers(1, 7), texts, texts, limits, limits)
    exceptions = st.dictionaries(days, st.lists(st.builds(DaySpan, texts, texts), max_size=2), max_size=2)

    def closing(first: date, length: int, begins: str | None, ends: str | None) -> Closing:
        if length == 0 and ends is not None and ends <= (begins or "00:00"):
            ends = None
        return Closing(first, first + length * DAY, begins, ends)

    closings = st.builds(closing, days, st.integers(0, 2), st.one_of(st.none(), texts), st.one_of(st.none(), texts))
    return Openings(
        draw(st.lists(weekly, min_size=1, max_size=8)), draw(exceptions), draw(st.lists(closings, max_size=2))
    )


@st.composite
def clinics(draw: st.DrawFn, zones: st.SearchStrategy[tuple[str, date]]) -> Clinic:
    """A clinic with a vet or two and perhaps rooms, random rules and visits, over one to three days."""
    name, day = draw(zones)
    zone = time_zone(name)
    first = day + draw(st.integers(-1, 1)) * DAY
    last = first + draw(st.integers(0, 2)) * DAY
    resources = {VET: "vet"}
    if draw(st.booleans()):
        resources[OTHER_VET] = "vet"
    if draw(st.booleans()):
        resources |= {ROOM: "room", OTHER_ROOM: "room"}
    offer = Offer(
        service_id=UUID(int=9),
        duration_minutes=draw(st.integers(5, 180)),
        buffer_before_minutes=draw(st.integers(0, 30)),
        buffer_after_minutes=draw(st.integers(0, 30)),
        resources=resources,
        grid_minutes=draw(st.sampled_from([10, 15, 20, 30, 60, 120])),
    )
    begin = bounds(first, zone).starts_at
    held = draw(
        st.lists(
            st.builds(
                lambda resource, lane, start, length: Held(
                    resource, lane, Interval(begin + start * MINUTE, begin + (start + length) * MINUTE)
                ),
                st.sampled_from(list(resources)),
                st.integers(0, 2),
                st.integers(-120, 4400),
                st.integers(1, 240),
            ),
            max_size=8,
        )
    )
    return Clinic(zone, first, last, offer, {each: draw(rules(day)) for each in resources}, held)


def any_day(low: int = 1980, high: int = 2037) -> st.SearchStrategy[tuple[str, date]]:
    return st.tuples(st.sampled_from(ZONES), st.dates(date(low, 1, 1), date(high, 12, 31)))


everywhere = st.one_of(st.sampled_from(CHANGES), any_day())


def check_slots(clinic: Clinic) -> None:
    """What must be so of every slot, whatever the zone and the rules."""
    found = clinic.free()
    for slot in found:
        assert clinic.window.starts_at <= slot.starts_at < clinic.window.ends_at
        wall = slot.starts_at.astimezone(clinic.zone)
        assert (wall.hour * 60 + wall.minute) % clinic.offer.grid_minutes == 0
        assert wall.replace(tzinfo=clinic.zone, fold=wall.fold).astimezone(UTC) == slot.starts_at
        visit = span_of(clinic.offer, slot.starts_at)
        holding = holding_of(clinic.offer, visit)
        for resource_id in slot.resource_ids:
            for number in range(clinic.offer.duration_minutes):
                instant = visit.starts_at + number * MINUTE
                assert in_rules(clinic.openings[resource_id], instant, clinic.zone), (slot, instant)
            for each in clinic.held:
                if each.resource_id == resource_id:
                    assert each.during.ends_at <= holding.starts_at or holding.ends_at <= each.during.starts_at
    assert all(earlier.starts_at < later.starts_at for earlier, later in pairwise(found))


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone(zone: str) -> None:
    """In every zone, about the days on which its clock changes and on a usual one, slots are sound."""
    place = time_zone(zone)
    spans = [WeeklySpan(weekday, "22:00", "04:00") for weekday in range(1, 8)]
    offer = Offer(
        service_id=UUID(int=9),
        duration_minutes=45,
        buffer_before_minutes=0,
        buffer_after_minutes=15,
        resources={VET: "vet"},
        grid_minutes=30,
    )
    year = stretches(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), place)
    for about_day in [*(day_of(part.starts_at, place) for part in year[1:5]), MONDAY]:
        closing = Closing(about_day - DAY, about_day - DAY, "23:00", "23:30")
        rules = Openings(spans, {about_day: [DaySpan("00:30", "05:00")]}, [closing])
        check_slots(Clinic(place, about_day - DAY, about_day + DAY, offer, {VET: rules}, []))


@given(clinics(everywhere))
def test_slots_are_sound(clinic: Clinic) -> None:
    """A slot lies on the grid and, each minute of it, within the rules of who serves it; and overlaps nothing held."""
    check_slots(clinic)


@given(clinics(everywhere))
def test_nothing_free_is_left_out(clinic: Clinic) -> None:
    """Each instant of the grid at which the rules let a vet and, if needed, a room serve is a slot."""
    found = {slot.starts_at: slot.resource_ids for slot in clinic.free()}
    opened = {each: working(clinic.openings[each], clinic.first, clinic.last, clinic.zone) for each in clinic.openings}
    instant = clinic.window.starts_at
    while instant < clinic.window.ends_at:
        wall = instant.astimezone(clinic.zone)
        if (wall.hour * 60 + wall.minute) % clinic.offer.grid_minutes == 0 and wall.second == 0:
            visit = span_of(clinic.offer, instant)
            holding = holding_of(clinic.offer, visit)
            able = [
                each
                for each in clinic.offer.resources
                if open_for(opened[each], visit)
                and not any(
                    taken.resource_id == each
                    and taken.during.starts_at < holding.ends_at
                    and holding.starts_at < taken.during.ends_at
                    for taken in clinic.held
                )
            ]
            vets = tuple(each for each in able if clinic.offer.resources[each] == "vet")
            served = vets and {clinic.offer.resources[each] for each in able} == clinic.offer.kinds
            assert found.get(instant, ()) == (vets if served else ())
        instant += MINUTE


@given(clinics(everywhere), st.randoms(use_true_random=False))
def test_every_slot_can_be_booked_one_by_one(clinic: Clinic, random: Random) -> None:
    """Whichever free slot is booked, then whichever is left: a booking takes it as it was shown, until none is left."""
    held = list(clinic.held)
    booked = 0
    while found := clinic.free(held):
        slot = random.choice(found)
        visit = span_of(clinic.offer, slot.starts_at)
        holding = holding_of(clinic.offer, visit)
        days = day_of(visit.starts_at, clinic.zone), day_of(visit.ends_at, clinic.zone)
        able = {each for each, rules in clinic.openings.items() if open_for(working(rules, *days, clinic.zone), visit)}
        overlapping = [
            Held(each.resource_id, 0, each.during)
            for each in held
            if each.during.starts_at < holding.ends_at and holding.starts_at < each.during.ends_at
        ]
        named = [random.choice(slot.resource_ids)]
        _, taken = choose(clinic.offer, named, able, overlapping, lanes=1)
        assert {clinic.offer.resources[each] for each in taken} == clinic.offer.kinds
        held += [Held(each, 0, holding) for each in taken]
        booked += 1
        assert booked < 1000


def offered(**changes: object) -> Offer:
    made = Offer(
        service_id=UUID(int=9),
        duration_minutes=30,
        buffer_before_minutes=0,
        buffer_after_minutes=0,
        resources={VET: "vet"},
        grid_minutes=30,
    )
    return msgspec.structs.replace(made, **changes)


def starts(rules: Openings, day: date = MONDAY, zone: ZoneInfo = GUAYAQUIL, **changes: object) -> list[str]:
    found = Clinic(zone, day, day, offered(**changes), {VET: rules}, []).free()
    return [slot.starts_at.astimezone(zone).strftime("%H:%M") for slot in found]


MORNING = [WeeklySpan(weekday, "09:00", "11:00") for weekday in range(1, 8)]
NIGHT = [WeeklySpan(7, "22:00", "02:00"), WeeklySpan(1, "09:00", "10:00")]


def test_an_exception_replaces_what_opens_on_its_day() -> None:
    """A day that differs has its own hours, or none; the night before goes on, a night that opens on it does not."""
    assert starts(Openings(MORNING, {MONDAY: [DaySpan("15:00", "16:00")]})) == ["15:00", "15:30"]
    assert starts(Openings(MORNING, {MONDAY: []})) == []
    assert starts(Openings(MORNING, {MONDAY + DAY: []})) == ["09:00", "09:30", "10:00", "10:30"]
    assert starts(Openings(NIGHT, {MONDAY: []})) == ["00:00", "00:30", "01:00", "01:30"]
    assert starts(Openings(NIGHT, {MONDAY - DAY: []})) == ["09:00", "09:30"]
    assert starts(Openings([], {MONDAY - DAY: [DaySpan("23:00", "01:00")]})) == ["00:00", "00:30"]


def test_hours_hold_for_a_time() -> None:
    """A span opens from its first valid day to its last, both included; the last night still lasts until it closes."""
    season = [WeeklySpan(1, "09:00", "10:00", MONDAY, MONDAY)]
    assert starts(Openings(season)) == ["09:00", "09:30"]
    assert starts(Openings(season), MONDAY + 7 * DAY) == starts(Openings(season), MONDAY - 7 * DAY) == []
    last_night = [WeeklySpan(7, "22:00", "01:00", None, MONDAY - DAY)]
    assert starts(Openings(last_night)) == ["00:00", "00:30"]
    assert starts(Openings(last_night), MONDAY + 7 * DAY) == []


def test_closures() -> None:
    """A closure shuts without a break from its first moment to its last, exceptions and nights included."""
    all_day = {MONDAY: [DaySpan("00:00", "00:00")]}
    assert starts(Openings(MORNING, all_day, [Closing(MONDAY, MONDAY)])) == []
    assert starts(Openings(MORNING, {}, [Closing(MONDAY, MONDAY, "09:30", "10:30")])) == ["09:00", "10:30"]
    assert starts(Openings(MORNING, {}, [Closing(MONDAY - DAY, MONDAY, "09:30", "10:30")])) == ["10:30"]
    assert starts(Openings(MORNING, {}, [Closing(MONDAY, MONDAY + DAY, "09:30", "10:30")])) == ["09:00"]
    assert starts(Openings(NIGHT, {}, [Closing(MONDAY, MONDAY, None, "01:00")])) == ["01:00", "01:30", "09:00", "09:30"]


@given(st.sampled_from(CHANGES), st.integers(-1, 1), texts, texts, st.integers(0, 2))
def test_a_closure_shuts_what_the_clock_shows(
    change: tuple[str, date], shift: int, begins: str, ends: str, length: int
) -> None:
    """At every quarter of an hour a closure is in force exactly if the wall clock shows a time within it."""
    zone, first = time_zone(change[0]), change[1] + shift * DAY
    assume(length or begins < ends)
    closing = Closing(first, first + length * DAY, begins, ends)
    parts = shut(closing, zone)
    always = Openings([WeeklySpan(weekday, "00:00", "00:00") for weekday in range(1, 8)], {}, [closing])
    instant = bounds(first - DAY, zone).starts_at
    while instant < bounds(first + 3 * DAY, zone).ends_at:
        assert any(each.starts_at <= instant < each.ends_at for each in parts) != in_rules(always, instant, zone)
        instant += 15 * MINUTE


@pytest.mark.parametrize(
    ("day", "hours", "expected"),
    [
        (date(2026, 3, 29), 23, ["01:00", "03:00", "04:00"]),
        (date(2026, 10, 25), 25, ["01:00", "02:00", "02:00", "03:00", "04:00"]),
        (MONDAY, 24, ["01:00", "02:00", "03:00", "04:00"]),
    ],
)
def test_days_of_23_24_and_25_hours(day: date, hours: int, expected: list[str]) -> None:
    """A wall time that is skipped has no slot, and one that comes twice has two, on days that differ as well."""
    assert bounds(day, MADRID).ends_at - bounds(day, MADRID).starts_at == timedelta(hours=hours)
    rules = Openings([], {day: [DaySpan("01:00", "05:00")]})
    assert starts(rules, day, MADRID, duration_minutes=60, grid_minutes=60) == expected


def test_days_without_midnight() -> None:
    """Where the clock jumps over midnight, a day that opens at midnight opens with its first moment."""
    rules = Openings([], {date(2026, 9, 6): [DaySpan("00:00", "02:00")]})
    santiago = time_zone("America/Santiago")
    assert starts(rules, date(2026, 9, 6), santiago, duration_minutes=60) == ["01:00"]


def test_a_room_of_a_kind_is_needed() -> None:
    """A service that wants a kind of room has no slot where there is none, and leads with its vet where there is."""
    clinic = Clinic(GUAYAQUIL, MONDAY, MONDAY, offered(room_kind="surgery"), {VET: Openings(MORNING)}, [])
    assert clinic.free() == []
    resources = {VET: "vet", ROOM: "room"}
    with_room = clinic._replace(
        offer=offered(room_kind="surgery", resources=resources), openings=dict.fromkeys(resources, Openings(MORNING))
    )
    assert [slot.resource_ids for slot in with_room.free()] == [(VET,)] * 4


def test_every_lane_counts() -> None:
    """What was overbooked takes the time as anything does."""
    clinic = Clinic(GUAYAQUIL, MONDAY, MONDAY, offered(), {VET: Openings(MORNING)}, [])
    begin = bounds(MONDAY, GUAYAQUIL).starts_at
    beside = [Held(VET, 3, Interval(begin + 9 * 60 * MINUTE, begin + 10 * 60 * MINUTE))]
    assert len(clinic.free()) == 4
    assert len(clinic.free(beside)) == 2


def test_guests_notice_and_horizon() -> None:
    """A guest's visit starts no earlier than the notice from now, and on a day no later than the horizon from today."""
    now = bounds(MONDAY, GUAYAQUIL).starts_at + 10 * 60 * MINUTE
    window = DayBounds(bounds(MONDAY, GUAYAQUIL).starts_at, bounds(MONDAY + 6 * DAY, GUAYAQUIL).ends_at)
    not_before, left = guests(offered(minimum_notice_minutes=90, horizon_days=2), window, now, GUAYAQUIL)
    assert not_before == now + 90 * MINUTE
    assert left == DayBounds(window.starts_at, bounds(MONDAY + 2 * DAY, GUAYAQUIL).ends_at)
    later = DayBounds(bounds(MONDAY + 5 * DAY, GUAYAQUIL).starts_at, window.ends_at)
    _, nothing = guests(offered(horizon_days=2), later, now, GUAYAQUIL)
    assert nothing.starts_at == nothing.ends_at


def test_reach() -> None:
    """What is asked for as taken is all that a visit of the window can touch, its buffers included, and no more."""
    window = bounds(MONDAY, GUAYAQUIL)
    offer = offered(buffer_before_minutes=10, buffer_after_minutes=20)
    assert reach(offer, window) == Interval(window.starts_at - 10 * MINUTE, window.ends_at + 50 * MINUTE)


def span(weekday: int, opens: str, closes: str, first: date | None = None, last: date | None = None) -> WeeklySpan:
    return WeeklySpan(weekday, opens, closes, first, last)


WINTER, SPRING = date(2026, 12, 31), date(2027, 1, 1)
CROSSING = {"/spans/1": "overlapping_hours"}


@pytest.mark.parametrize(
    ("spans", "errors"),
    [
        ([span(1, "09:00", "13:00", None, WINTER), span(1, "10:00", "12:00", SPRING)], {}),
        ([span(1, "09:00", "13:00", None, WINTER), span(1, "10:00", "12:00", WINTER)], {}),  # a Thursday
        ([span(4, "09:00", "13:00", None, WINTER), span(4, "10:00", "12:00", WINTER)], CROSSING),
        ([span(4, "20:00", "06:00", None, WINTER), span(5, "05:00", "09:00", SPRING)], CROSSING),
        ([span(4, "20:00", "06:00", None, WINTER), span(5, "05:00", "09:00", SPRING + DAY)], {}),
        ([span(1, "09:00", "13:00", SPRING, WINTER)], {"/spans/0/valid_until": "before_valid_from"}),
    ],
)  # fmt: skip
def test_overlap_where_validity_meets(spans: list[WeeklySpan], errors: dict[str, str]) -> None:
    """Spans overlap only if there is a day on which both are open."""
    assert {each.pointer: each.code for each in check_spans(spans)} == errors


@example([span(7, "20:00", "06:00", None, MONDAY - DAY), span(1, "05:00", "09:00", MONDAY)])
@given(
    st.lists(
        st.builds(
            span,
            st.integers(1, 7),
            texts,
            texts,
            *[st.one_of(st.none(), st.integers(-9, 9).map(lambda number: MONDAY + number * DAY))] * 2,
        ),
        max_size=4,
    )
)
def test_accepted_spans_add_up(spans: list[WeeklySpan]) -> None:
    """Spans are refused exactly if on some day two are open at once, or one is turned round."""
    turned = any((each.valid_from or date.min) > (each.valid_until or date.max) for each in spans)
    days = [MONDAY + number * DAY for number in range(-20, 21)]
    alone = [working(Openings([each]), days[0], days[-1], GUAYAQUIL) for each in spans]
    together = working(Openings(spans), days[0], days[-1], GUAYAQUIL)
    begin, end = bounds(days[0], GUAYAQUIL).starts_at, bounds(days[-1], GUAYAQUIL).ends_at

    def length(some: list[Interval]) -> timedelta:
        return sum((min(each.ends_at, end) - max(each.starts_at, begin) for each in some), timedelta(0))

    overlap = sum((length(each) for each in alone), timedelta(0)) != length(together)
    assert bool(check_spans(spans)) == (turned or overlap)


def test_overlap_within_a_day() -> None:
    """The spans of a single day may meet, and not overlap."""
    assert check_day([DaySpan("09:00", "11:00"), DaySpan("11:00", "12:00")]) == []
    assert [each.pointer for each in check_day([DaySpan("09:00", "11:00"), DaySpan("10:00", "12:00")])] == ["/spans/1"]
