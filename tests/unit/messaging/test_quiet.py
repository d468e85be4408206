"""Quiet hours, in every zone and over days of 23 and 25 hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.messaging.quiet import QuietHours, awake
from coravet.core.tenancy.clinic_day import _zone_names

NIGHT = QuietHours("20:00", "07:00")
GUAYAQUIL = ZoneInfo("America/Guayaquil")
ZONES = sorted(_zone_names())


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-23T19:59", "2026-11-23T19:59"),
        ("2026-11-23T20:00", "2026-11-24T07:00"),
        ("2026-11-24T00:00", "2026-11-24T07:00"),
        ("2026-11-24T06:59:59", "2026-11-24T07:00"),
        ("2026-11-24T07:00", "2026-11-24T07:00"),
    ],
)
def test_night(at: str, until: str) -> None:
    """Quiet hours across midnight last from the evening to the morning; what is not in them stays."""
    wall = datetime.fromisoformat(at).replace(tzinfo=GUAYAQUIL)
    assert awake(wall.astimezone(UTC), NIGHT, GUAYAQUIL) == datetime.fromisoformat(until).replace(tzinfo=GUAYAQUIL)


def test_none() -> None:
    """Without quiet hours, or with some that begin when they end, any hour will do."""
    at = datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert awake(at, None, GUAYAQUIL) == awake(at, QuietHours("08:00", "08:00"), GUAYAQUIL) == at


@pytest.mark.parametrize(
    ("zone", "quiet", "at", "until"),
    [
        # New York, 8 March 2026: 02:00 to 03:00 do not exist. The night is an hour shorter, and an end within the gap
        # is the gap's.
        ("America/New_York", NIGHT, "2026-03-08T01:00Z", "2026-03-08T11:00Z"),
        ("America/New_York", QuietHours("22:00", "02:30"), "2026-03-08T06:59Z", "2026-03-08T07:00Z"),
        # 1 November 2026: 01:00 to 02:00 come twice. The night is an hour longer; an end that comes twice comes first.
        ("America/New_York", NIGHT, "2026-11-01T00:30Z", "2026-11-01T12:00Z"),
        ("America/New_York", QuietHours("22:00", "01:30"), "2026-11-01T05:00Z", "2026-11-01T05:30Z"),
        # … and what falls into the second 01:00 is quiet once more.
        ("America/New_York", QuietHours("22:00", "01:30"), "2026-11-01T06:10Z", "2026-11-01T06:30Z"),
        # Santiago, 6 September 2026: midnight is missing.
        ("America/Santiago", QuietHours("21:00", "00:00"), "2026-09-06T03:00Z", "2026-09-06T04:00Z"),
    ],
)
def test_changing_clocks(zone: str, quiet: QuietHours, at: str, until: str) -> None:
    """What the clock shows is what counts."""
    assert awake(datetime.fromisoformat(at), quiet, ZoneInfo(zone)) == datetime.fromisoformat(until)


walls = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 -- given its zone below
    walls,
    walls,
)
def test_everywhere(zone_name: str, at: datetime, begins: time, ends: time) -> None:
    """In every zone the answer is an instant from `at` on, at which it is not quiet, and before which it always is."""
    zone, instant = ZoneInfo(zone_name), at.replace(tzinfo=UTC)
    quiet = QuietHours(begins.isoformat("minutes"), ends.isoformat("minutes"))
    found = awake(instant, quiet, zone)
    assert instant <= found <= instant + timedelta(hours=50)

    def is_quiet(when: datetime) -> bool:
        wall = when.astimezone(zone).time()
        return begins <= wall < ends if begins <= ends else wall >= begins or wall < ends

    assert not is_quiet(found)
    probe = instant
    while probe < found:
        assert is_quiet(probe)
        probe += timedelta(minutes=7)
    assert found == instant or is_quiet(found - timedelta(microseconds=1))
