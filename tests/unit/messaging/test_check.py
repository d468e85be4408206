"""Whether a message still holds at the moment of sending."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from coravet.core.kernel.actor import ClinicId
from coravet.core.messaging.check import HOLDS_WHILE, hindrance
from coravet.core.messaging.model import REMINDERS, Message
from coravet.core.messaging.views import Facts

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
START = NOW + timedelta(days=1)
VISIT = Facts(
    clinic_name="Clínica La Paz",
    time_zone="America/Guayaquil",
    quiet=None,
    client_id=uuid4(),
    given_name="Zoila",
    client_name="Zoila Quimbiurco",
    address="zq@correo.test",
    allowed=True,
    patient_name="Firulais",
    deceased=False,
    client_deceased=False,
    client_suspended=False,
    service_name="Consulta",
    visit_status="confirmed",
    starts_at=START,
    ends_at=START + timedelta(minutes=30),
    version=1,
    later=frozenset(),
    due_on=None,
    closed=False,
)
RECALL = msgspec.structs.replace(VISIT, visit_status=None, starts_at=None, ends_at=None, service_name=None)


def _message(kind: str, channel: str = "mail") -> Message:
    subject = {"visit": "appointment", "waitlist": "hold"}.get(kind.partition("_")[0], "recall")
    starts_at = None if subject == "recall" else START
    return Message(ClinicId(UUID(int=1)), uuid4(), kind, subject, uuid4(), channel, NOW, starts_at)


@pytest.mark.parametrize("kind", sorted(HOLDS_WHILE))
@pytest.mark.parametrize("status", ["requested", "confirmed", "checked_in", "cancelled", "no_show", "offered"])
def test_states(kind: str, status: str) -> None:
    """A message about a visit is sent while the visit is as it says, and not otherwise."""
    facts = msgspec.structs.replace(VISIT, visit_status=status)
    held = status in HOLDS_WHILE[kind]
    assert hindrance(_message(kind), facts, NOW) == (None if held else f"visit_{status}")


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("visit_reminder", {"starts_at": START + timedelta(hours=1)}, "visit_moved"),
        ("visit_cancelled", {"visit_status": "cancelled", "starts_at": START + timedelta(hours=1)}, None),
        ("visit_reminder", {"starts_at": NOW}, "visit_past"),
        ("visit_reminder", {"deceased": True}, "patient_deceased"),
        ("visit_reminder", {"client_deceased": True}, "client_deceased"),
        ("visit_booked", {"client_deceased": True}, "client_deceased"),
        ("visit_reminder", {"client_suspended": True}, "client_suspended"),
        ("visit_booked", {"client_suspended": True}, "client_suspended"),
        ("visit_reminder", {"client_id": None}, "subject_gone"),
        ("visit_reminder", {"allowed": False}, "no_consent"),
        ("visit_reminder", {"allowed": None}, "no_consent"),
        ("visit_booked", {"allowed": False}, None),
        ("visit_reminder", {"address": None}, "no_address"),
    ],
)
def test_visits(kind: str, change: dict[str, Any], why: str | None) -> None:
    """What became of the visit, the patient and the client's choice decides; a mail about their own booking needs no
    consent."""
    assert hindrance(_message(kind), msgspec.structs.replace(VISIT, **change), NOW) == why


@pytest.mark.parametrize(
    ("kind", "status", "later", "why"),
    [
        ("visit_booked", "confirmed", {"visit_cancelled", "visit_confirmed"}, "superseded"),
        ("visit_cancelled", "cancelled", {"visit_confirmed", "visit_cancelled"}, "superseded"),
        ("visit_booked", "confirmed", {"visit_moved"}, "superseded"),
        ("visit_confirmed", "confirmed", {"visit_cancelled"}, None),
        ("visit_booked", "confirmed", {"visit_reminder"}, None),
        ("visit_reminder", "confirmed", {"visit_confirmed"}, None),
    ],
)
def test_superseded(kind: str, status: str, later: set[str], why: str | None) -> None:
    """Of all that tells how things stand with a visit, and is true, the last is sent; reminders are no such news."""
    facts = msgspec.structs.replace(VISIT, visit_status=status, later=frozenset(later))
    assert hindrance(_message(kind), facts, NOW) == why


@pytest.mark.parametrize(
    ("change", "why"),
    [({}, None), ({"closed": True}, "recall_closed"), ({"deceased": True}, "patient_deceased")],
)
def test_recalls(change: dict[str, Any], why: str | None) -> None:
    """A recall holds until it is closed."""
    assert hindrance(_message("vaccine_due"), msgspec.structs.replace(RECALL, **change), NOW) == why


@pytest.mark.parametrize("kind", sorted(set(HOLDS_WHILE) | REMINDERS))
def test_whatsapp_needs_consent(kind: str) -> None:
    """Nothing at all goes over WhatsApp to who did not ask for it."""
    facts = RECALL if kind in REMINDERS - {"visit_reminder"} else VISIT
    status = next(iter(HOLDS_WHILE.get(kind, {"confirmed"})))
    facts = msgspec.structs.replace(facts, visit_status=status)
    assert hindrance(_message(kind, "whatsapp"), facts, NOW) is None
    assert hindrance(_message(kind, "whatsapp"), msgspec.structs.replace(facts, allowed=None), NOW) == "no_consent"
