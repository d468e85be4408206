"""What a process remembers of who has nothing open."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from coravet.adapters.memory.legal import LegalGate
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.legal.gate import KEPT, CachedGate, OpenDocument

USER = UserId(UUID(int=1))
CLINIC = ClinicId(UUID(int=2))
TERMS = OpenDocument("terms", "1.0", "es-EC", "0" * 64, "/terms")


class Clock:
    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 23, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant


class Asked(LegalGate):
    """Counts how often it is asked, and can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.meanwhile = lambda: None

    async def pending(self, user_id: UserId, clinic_id: ClinicId | None) -> list[OpenDocument]:
        self.asked += 1
        found = await super().pending(user_id, clinic_id)
        self.meanwhile()
        return found


@pytest.fixture
def asked() -> Asked:
    return Asked()


async def test_asked_once(asked: Asked) -> None:
    """Who has nothing open is asked about once; each clinic is a question of its own."""
    gate = CachedGate(asked, Clock())
    for _ in range(3):
        assert await gate.pending(USER, CLINIC) == []
    assert asked.asked == 1
    await gate.pending(USER, None)
    assert asked.asked == 2


async def test_open_is_asked_anew(asked: Asked) -> None:
    """What is open is never remembered: accepting works with the next request."""
    gate = CachedGate(asked, Clock())
    asked.documents = [TERMS]
    assert await gate.pending(USER, CLINIC) == [TERMS]
    asked.documents = []
    assert await gate.pending(USER, CLINIC) == []


async def test_forgotten(asked: Asked) -> None:
    """After a publication everybody is asked about anew."""
    gate = CachedGate(asked, Clock())
    await gate.pending(USER, CLINIC)
    asked.documents = [TERMS]
    gate.forget()
    assert await gate.pending(USER, CLINIC) == [TERMS]


async def test_asked_too_early(asked: Asked) -> None:
    """An answer that was on its way while something was published is not remembered."""
    gate = CachedGate(asked, Clock())
    asked.meanwhile = gate.forget
    assert await gate.pending(USER, CLINIC) == []
    asked.documents = [TERMS]
    assert await gate.pending(USER, CLINIC) == [TERMS]


async def test_unheard(asked: Asked) -> None:
    """Should an event go unheard, what is remembered ends by itself."""
    clock = Clock()
    gate = CachedGate(asked, clock)
    await gate.pending(USER, CLINIC)
    asked.documents = [TERMS]
    clock.instant += KEPT - timedelta(seconds=1)
    assert await gate.pending(USER, CLINIC) == []
    clock.instant += timedelta(seconds=1)
    assert await gate.pending(USER, CLINIC) == [TERMS]
