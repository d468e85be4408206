"""Which visits a wish is for, and what freed time is offered to whom."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.fields import wall_text
from coravet.core.scheduling.availability import Slot
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.offering import ANSWER_WITHIN, BEFORE_START, deadline, first_fit
from coravet.core.scheduling.ports import Freed, Offer, Waiting, Wish
from coravet.core.scheduling.waitlist import check_entry, fits
from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone

GUAYAQUIL, MADRID = time_zone("America/Guayaquil"), time_zone("Europe/Madrid")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONDAY = date(2026, 11, 23)
VET, OTHER_VET, ROOM = (UUID(int=number) for number in range(1, 4))
OFFER = Offer(
    service_id=UUID(int=9),
    duration_minutes=30,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    resources={VET: "vet", OTHER_VET: "vet", ROOM: "room"},
)
# Days of 23, 24 and 25 hours, half an hour of them, and midnights that are skipped or come twice.
CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Havana", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("America/Guayaquil", MONDAY),
]


def wish(**changed: Any) -> Wish:
    return Wish(**{"from_date": MONDAY, "to_date": MONDAY + timedelta(days=6), **changed})


def visit(starts_at: datetime, minutes: int = 30) -> Interval:
    return Interval(starts_at, starts_at + minutes * MINUTE)


def local(hour: int, minute: int = 0, day: int = 23) -> datetime:
    """A wall time of Guayaquil, in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) + 5 * HOUR


@given(st.data())
def test_every_minute_is_wished_for(data: st.DataObject) -> None:
    """A visit fits where it begins on a day that was wished for, and at each of its minutes the clock on the wall shows
    a weekday and a time that were."""
    name, day = data.draw(st.sampled_from(CHANGES))
    zone = time_zone(name)
    begins = bounds(day - timedelta(days=1), zone).starts_at
    given_visit = visit(begins + data.draw(st.integers(0, 3 * 1440)) * MINUTE, data.draw(st.integers(1, 300)))
    hours = sorted(data.draw(st.lists(st.times(), min_size=2, max_size=2, unique_by=wall_text)), key=wall_text)
    from_time, to_time = (data.draw(st.sampled_from([None, wall_text(each)])) for each in hours)
    days = sorted(data.draw(st.lists(st.integers(-2, 3), min_size=2, max_size=2)))
    wanted = Wish(
        *(day + timedelta(days=each) for each in days),
        weekdays=data.draw(st.lists(st.integers(1, 7), max_size=5)),
        from_time=from_time,
        to_time=to_time,
    )
    minutes = int((given_visit.ends_at - given_visit.starts_at) / MINUTE)
    walls = [(given_visit.starts_at + each * MINUTE).astimezone(zone) for each in range(minutes)]
    least = time.fromisoformat(from_time or "00:00")
    # Until midnight where nothing, or midnight, was said.
    most = time.max if to_time in {None, "00:00"} else time.fromisoformat(to_time or "")
    shown = all(
        (not wanted.weekdays or wall.isoweekday() in wanted.weekdays) and least <= wall.time() < most for wall in walls
    )
    expected = wanted.from_date <= day_of(given_visit.starts_at, zone) <= wanted.to_date and shown
    assert fits(wanted, given_visit, zone) == expected


@pytest.mark.parametrize(
    ("wanted", "starts_at", "fitting"),
    [
        (wish(), local(9), True),
        (wish(weekdays=[1]), local(23, 45), False),  # it ends on Tuesday
        (wish(weekdays=[1]), local(20), True),  # which is Tuesday in UTC
        (wish(weekdays=[2]), local(20), False),
        (wish(from_time="09:00", to_time="12:00"), local(11, 30), True),
        (wish(from_time="09:00", to_time="12:00"), local(11, 45), False),
        (wish(to_time="00:00"), local(23, 30), True),
        (wish(to_date=MONDAY), local(0, day=24), False),
        (wish(from_date=date(2026, 11, 24)), local(23, 30), False),
    ],
)
def test_wishes(wanted: Wish, starts_at: datetime, *, fitting: bool) -> None:
    """Days and hours are the clinic's own, and the whole visit lies in them."""
    assert fits(wanted, visit(starts_at), GUAYAQUIL) == fitting


def test_doubled_hour() -> None:
    """Where the clock is put back from three to two, a visit between the two fits in both hours."""
    wanted = Wish(date(2026, 10, 25), date(2026, 10, 25), from_time="02:00", to_time="03:00")
    for utc, fitting in ((0, True), (1, True), (2, False)):
        at = datetime(2026, 10, 25, utc, 15, tzinfo=UTC)
        assert fits(wanted, visit(at), MADRID) == fitting


def test_deadline() -> None:
    """Two hours, never until shortly before the start, and no offer where nobody could answer in time."""
    now = local(9)
    assert deadline(now, local(18)) == now + ANSWER_WITHIN
    assert deadline(now, local(10)) == local(10) - BEFORE_START
    assert deadline(now, local(9, 35)) is None
    assert deadline(now, local(8)) is None
    assert deadline(now, local(18), 15 * MINUTE) == local(9, 15)


SLOTS = [Slot(local(10), (OTHER_VET, VET)), Slot(local(10, 15), (VET,)), Slot(local(10, 30), (VET, OTHER_VET))]
FREED = Freed(local(10), Interval(local(10), local(11)), [VET, ROOM])
Changed = Callable[..., Waiting]


def who(refused: list[Interval] | None = None, **wished: Any) -> Waiting:
    return Waiting(UUID(int=7), OFFER.service_id, wish(**wished), refused or [], UUID(int=8))


@pytest.mark.parametrize(
    ("waiting", "chosen"),
    [
        (who(), (local(10), VET)),
        (who(resource_ids=[VET]), (local(10), VET)),
        (who(resource_ids=[OTHER_VET]), None),
        (who(from_time="10:10"), (local(10, 15), VET)),
        (who(refused=[visit(local(10))]), (local(10, 30), VET)),
        (who(refused=[visit(local(9))]), (local(10), VET)),
        (who(weekdays=[2]), None),
    ],
)
def test_first_fit(waiting: Waiting, chosen: tuple[datetime, UUID] | None) -> None:
    """The earliest slot that was wished for, led by who was freed, beside what was offered before and not taken."""
    found = first_fit(OFFER, SLOTS, FREED, waiting, local(8), GUAYAQUIL)
    assert (found and (found[0].starts_at, found[1])) == chosen


def test_freed_room() -> None:
    """Where a room alone was freed, anybody who is wished for may lead the visit."""
    freed = msgspec.structs.replace(FREED, resource_ids=[ROOM])
    found = first_fit(OFFER, SLOTS, freed, who(resource_ids=[OTHER_VET]), local(8), GUAYAQUIL)
    assert found is not None
    assert found[1] == OTHER_VET


def test_asked_in_the_morning() -> None:
    """Who is told in the morning has from then on to answer; a slot before they could is not for them."""
    found = first_fit(OFFER, SLOTS, FREED, who(), local(9, 40), GUAYAQUIL)
    assert found is not None
    assert (found[0].starts_at, found[2]) == (local(10, 30), local(10))


@pytest.mark.parametrize(
    ("given_fields", "wrong"),
    [
        ({"from_date": MONDAY, "to_date": MONDAY - timedelta(days=1)}, {"/to_date": "before_from"}),
        ({"from_time": "12:00", "to_time": "09:00"}, {"/to_time": "before_from"}),
        ({"from_time": "12:00", "to_time": "00:00"}, {}),
        ({"resource_ids": [VET, VET]}, {"/resource_ids": "repeated"}),
        ({"note": "a\u202eb"}, {"/note": "not_text"}),
    ],
)
def test_checked(given_fields: dict[str, Any], wrong: dict[str, str]) -> None:
    """Each field that breaks a rule is told."""
    assert {error.pointer: error.code for error in check_entry(given_fields)[1]} == wrong
