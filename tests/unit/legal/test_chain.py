"""The chain of decisions, and what breaks it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.legal.chain import BEGINNING, broken, commitment_of, hash_of
from coravet.core.legal.model import Entry, Secret

CLINIC = ClinicId(UUID(int=7))
BEGAN = datetime(2026, 11, 23, 14, tzinfo=UTC)


def chain(length: int) -> list[Entry]:
    """So many decisions, one after the other."""
    entries: list[Entry] = []
    for number in range(1, length + 1):
        entry = Entry(
            clinic_id=CLINIC,
            id=UUID(int=100 + number),
            number=number,
            user_id=UserId(UUID(int=200 + number)),
            client_id=None,
            guest_request_id=None,
            recorded_by=None,
            slug="terms",
            version="1.0",
            locale="es-EC",
            sha256="0" * 64,
            decision="accepted",
            capacity="oneself",
            screen="/legal",
            build="7",
            request_id="r",
            decided_at=BEGAN + timedelta(seconds=number),
            commitment=b"x" * 32,
            previous=entries[-1].hash if entries else BEGINNING,
            hash=b"",
        )
        entries.append(sealed(entry))
    return entries


def sealed(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, hash=hash_of(entry))


def test_whole() -> None:
    """A chain as it was written is whole, also an empty one, and agrees with the heads that were kept of it."""
    entries = chain(5)
    assert broken(entries, {3: entries[2].hash, 5: entries[4].hash}) is None
    assert broken([], {}) is None


OTHER = {
    "clinic_id": ClinicId(UUID(int=8)),
    "id": UUID(int=1),
    "user_id": None,
    "client_id": UUID(int=1),
    "guest_request_id": UUID(int=1),
    "recorded_by": UUID(int=1),
    "slug": "privacy",
    "version": "1.1",
    "locale": "en",
    "sha256": "1" * 64,
    "decision": "declined",
    "capacity": "clinic",
    "screen": None,
    "build": "8",
    "request_id": None,
    "decided_at": BEGAN,
    "commitment": None,
}


@pytest.mark.parametrize("field", Entry.__struct_fields__)
def test_every_field(field: str) -> None:
    """Another value in any field of any entry is found."""
    if field == "number":
        changed = {"number": 9}
    elif field in {"previous", "hash"}:
        changed = {field: bytes(31) + b"\1"}
    else:
        changed = {field: OTHER[field]}
    for place in range(3):
        entries = chain(3)
        entries[place] = msgspec.structs.replace(entries[place], **changed)
        assert broken(entries, {}), place


def test_rewritten() -> None:
    """Who changes an entry and makes all hashes after it anew is found by a head that was kept elsewhere."""
    entries = chain(4)
    kept = {4: entries[3].hash}
    previous = BEGINNING
    for place, entry in enumerate(entries):
        decision = "declined" if place == 1 else entry.decision
        entries[place] = sealed(msgspec.structs.replace(entry, decision=decision, previous=previous))
        previous = entries[place].hash
    assert broken(entries, {}) is None
    assert "written anew" in str(broken(entries, kept))


def test_cut_off() -> None:
    """A chain that lost its end, its middle or all of it is found."""
    entries = chain(4)
    kept = {4: entries[3].hash}
    assert "cut off" in str(broken(entries[:3], kept))
    assert "cut off" in str(broken([], kept))
    assert "missing" in str(broken(entries[:1] + entries[2:], {}))
    assert broken(entries[1:], {})


def test_commitment() -> None:
    """The same address and browser commit to something else under another key, and another address under the same."""
    known = commitment_of(Secret("192.0.2.1", "Firefox", b"k" * 32))
    assert known != commitment_of(Secret("192.0.2.1", "Firefox", b"l" * 32))
    assert known != commitment_of(Secret("192.0.2.2", "Firefox", b"k" * 32))
    assert known != commitment_of(Secret("192.0.2.1", None, b"k" * 32))
