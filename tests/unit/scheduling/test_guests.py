"""What guests may book, and what they can still do with a visit."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from coravet.core.kernel.errors import Invalid, NotFound
from coravet.core.scheduling.guests import check_start, guest_view, named_by_guest, possible, start_asked
from coravet.core.scheduling.ports import Offer
from coravet.core.scheduling.views import GuestVisit, PublicClinicRef, ServiceRef

GUAYAQUIL = ZoneInfo("America/Guayaquil")
VET, ROOM = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 2, 17, 3, tzinfo=UTC)  # three past noon in Guayaquil
OFFER = Offer(
    service_id=UUID(int=9),
    duration_minutes=30,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    resources={ROOM: "room", VET: "vet"},
    minimum_notice_minutes=60,
    horizon_days=2,
)


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (datetime(2026, 3, 2, 18, 15, tzinfo=UTC), None),
        (datetime(2026, 3, 2, 18, 0, tzinfo=UTC), "too_soon"),
        (datetime(2026, 3, 5, 4, 45, tzinfo=UTC), None),  # a quarter to midnight of the day after tomorrow
        (datetime(2026, 3, 5, 5, 0, tzinfo=UTC), "too_far"),
        (datetime(2026, 3, 3, 18, 20, tzinfo=UTC), "not_offered"),
        (datetime(2026, 3, 3, 18, 15, 1, tzinfo=UTC), "not_offered"),
    ],
)
def test_check_start(start: datetime, code: str | None) -> None:
    """A guest keeps to the service's notice, to its horizon in the clinic's days, and to the clinic's grid."""
    if code is None:
        check_start(OFFER, start, NOW, GUAYAQUIL)
        return
    with pytest.raises(Invalid) as refused:
        check_start(OFFER, start, NOW, GUAYAQUIL)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/starts_at", code)]


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-11:00"])
def test_beyond_the_calendar(start: str) -> None:
    """A start that has no instant in UTC is refused like any other that is out of reach."""
    with pytest.raises(Invalid):
        start_asked(datetime.fromisoformat(start), NOW)


def test_named_by_guest() -> None:
    """A guest may name who leads the service, and nobody else is there for them."""
    assert named_by_guest(OFFER, None) == []
    assert named_by_guest(OFFER, VET) == [VET]
    for other in (ROOM, UUID(int=7)):
        with pytest.raises(NotFound):
            named_by_guest(OFFER, other)


def _visit(status: str, *, online: bool = True) -> GuestVisit:
    return GuestVisit(
        ServiceRef(UUID(int=9), "Consulta", None, 30),
        PublicClinicRef("clinica", "Clínica", "America/Guayaquil"),
        status,
        NOW + timedelta(hours=3),
        NOW + timedelta(hours=4),
        "Dra. Paz",
        "Luna",
        "cat",
        online,
        120,
    )


@pytest.mark.parametrize(
    ("status", "online", "steps"),
    [
        ("requested", True, {"confirm": 180, "reschedule": 60, "cancel": 60}),
        ("confirmed", True, {"reschedule": 60, "cancel": 60}),
        ("confirmed", False, {"cancel": 60}),
        ("checked_in", True, {}),
        ("completed", True, {}),
        ("cancelled", True, {}),
        ("no_show", True, {}),
    ],
)
def test_possible(status: str, online: bool, steps: dict[str, int]) -> None:
    """What can be done depends on the status; confirming ends with the start, all else with the cut-off before it."""
    found = possible(_visit(status, online=online))
    assert {step: (until - NOW).total_seconds() / 60 for step, until in found.items()} == steps


def test_shown_while_possible() -> None:
    """What is over is no longer offered, from the very instant."""
    visit = _visit("requested")
    assert [each.step for each in guest_view(visit, NOW).can] == ["confirm", "reschedule", "cancel"]
    assert [each.step for each in guest_view(visit, NOW + timedelta(hours=1)).can] == ["confirm"]
    assert guest_view(visit, visit.starts_at).can == []
