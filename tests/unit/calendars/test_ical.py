"""What another iCalendar library reads of what ours wrote."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
import vobject
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st

from coravet.adapters.calendars.ical import ICalendarWriter
from coravet.core.kernel.calendar import CalendarEntry, CalendarMethod, visit_uid
from coravet.core.tenancy.clinic_day import stretches

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
QUITO = ZoneInfo("America/Guayaquil")
VISIT = CalendarEntry(
    uid=visit_uid(UUID(int=7)),
    sequence=3,
    starts_at=NOON,
    ends_at=NOON + timedelta(minutes=30),
    summary="Luna · Consulta",
    changed_at=NOON - timedelta(days=1),
)
ZONES = sorted(available_timezones() - {"Factory", "localtime"})


def read(written: bytes) -> Any:
    """The calendar as vobject reads it, by the rules that it carries and no other zone of that name."""
    text = written.decode()
    rules = tzical(StringIO(text))
    for name in rules.keys():  # noqa: SIM118 -- tzical is no mapping
        # vobject would keep the first rules it ever met under this name, and look away where they begin as UTC's.
        vobject.icalendar.registerTzid(name, rules.get(name))
    return vobject.readOne(text)


def write(*entries: CalendarEntry, zone: ZoneInfo = QUITO, method: CalendarMethod = "PUBLISH") -> bytes:
    return ICalendarWriter().write(entries, name="Clínica, Dra. Núñez", zone=zone, method=method)


def stretch(event: Any) -> tuple[datetime, datetime]:
    """When an entry begins and ends, in UTC: a wall time that comes twice equals no other zone's (PEP 495)."""
    return event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC)


def near_changes(name: str, year: int) -> list[datetime]:
    """Instants of a year at which the zone's rules are hardest: around each change of its clocks."""
    zone, begin = ZoneInfo(name), datetime(year, 1, 1, tzinfo=UTC)
    changes = [even.starts_at for even in stretches(begin, begin + timedelta(days=366), zone)]
    return [change + timedelta(minutes=minutes) for change in changes for minutes in (-90, -30, 0, 30, 90)]


@pytest.mark.parametrize("year", [2010, 2026])
def test_zones(year: int) -> None:
    """Around every change of every zone's clocks the same instants are read: hours that are skipped, come twice, or
    are put back for a month only."""
    wrong = []
    for name in ZONES:
        starts = near_changes(name, year)
        entries = [
            msgspec.structs.replace(VISIT, uid=str(number), starts_at=at, ends_at=at + timedelta(minutes=45))
            for number, at in enumerate(starts)
        ]
        for event in read(write(*entries, zone=ZoneInfo(name))).vevent_list:
            at = starts[int(event.uid.value)]
            if stretch(event) != (at, at + timedelta(minutes=45)):
                wrong.append((name, at, stretch(event)))
    assert wrong == []


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(ZONES),
    starts=st.lists(
        st.datetimes(datetime(1990, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 -- bounds
        min_size=1,
        max_size=3,
    ),
    minutes=st.integers(5, 24 * 60),
)
def test_instants(name: str, starts: list[datetime], minutes: int) -> None:
    """Whatever the zone, the year and the length, the same instants are read."""
    starts = [at.replace(second=0, microsecond=0) for at in starts]
    entries = [
        msgspec.structs.replace(VISIT, uid=str(number), starts_at=at, ends_at=at + timedelta(minutes=minutes))
        for number, at in enumerate(starts)
    ]
    for event in read(write(*entries, zone=ZoneInfo(name))).vevent_list:
        at = starts[int(event.uid.value)]
        assert stretch(event) == (at, at + timedelta(minutes=minutes))


def test_visit() -> None:
    """Wall times name the clinic's zone, a version is a sequence, and a visit keeps its name."""
    visit = msgspec.structs.replace(VISIT, description="Traer carné", location="Av. Quito y Loja")
    event = read(write(visit)).vevent
    assert event.dtstart.params["X-VOBJ-ORIGINAL-TZID"] == ["America/Guayaquil"]
    assert event.dtstart.value.hour == 12
    assert (event.uid.value, event.sequence.value) == (f"{UUID(int=7)}@coravet", "3")
    assert (event.summary.value, event.description.value) == ("Luna · Consulta", "Traer carné")
    assert (event.location.value, event.status.value) == ("Av. Quito y Loja", "CONFIRMED")
    assert event.dtstamp.value == event.last_modified.value == VISIT.changed_at


def test_cancelled() -> None:
    """A visit that was called off says so, in a feed and in a mail that does nothing else."""
    cancelled = msgspec.structs.replace(VISIT, status="cancelled")
    assert read(write(cancelled)).vevent.status.value == "CANCELLED"
    assert read(write(cancelled, method="CANCEL")).method.value == "CANCEL"


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(
        st.one_of(st.sampled_from(",;:\\\"'\n🐶ñÁ="), st.characters(exclude_categories=("C", "Zl", "Zp"))), max_size=200
    )
)
def test_text(text: str) -> None:
    """Commas, semicolons, backslashes, line ends and emoji come back as they were, and lines are short and end CRLF."""
    written = write(msgspec.structs.replace(VISIT, summary=f"a{text}a"))
    assert read(written).vevent.summary.value == f"a{text}a"
    assert written.count(b"\n") == written.count(b"\r\n") == written.count(b"\r")
    assert max(len(line) for line in written.split(b"\r\n")) <= 75


def test_injection() -> None:
    """A text cannot add a line of its own, whatever ends it."""
    for end in ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"):
        visit = msgspec.structs.replace(VISIT, summary=f"Luna{end}STATUS:CANCELLED")
        event = read(write(visit)).vevent
        assert event.status.value == "CONFIRMED", repr(end)


def test_same_bytes() -> None:
    """The same visits are the same bytes, so that a feed that did not change can say so; none are a calendar, too."""
    assert write(VISIT) == write(VISIT)
    assert read(write()).x_wr_calname.value == "Clínica, Dra. Núñez"
