"""The chain of decisions: each entry's hash covers the one before, so that none can be changed or left out unseen."""

import hmac
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from coravet.core.legal.model import Entry, Secret

BEGINNING = bytes(32)
"""What stands for the hash before a chain's first entry."""


def hash_of(entry: Entry) -> bytes:
    """SHA-256 of the previous hash followed by the entry's other fields, as a JSON list in their order.

    Bytes are base64, instants RFC 3339 in UTC with microseconds; a personal field is not among them.
    """
    fields = [getattr(entry, name) for name in Entry.__struct_fields__ if name not in {"previous", "hash"}]
    return sha256(entry.previous + msgspec.json.encode(fields)).digest()


def commitment_of(secret: Secret) -> bytes:
    """HMAC-SHA256 of the address and the browser: without its key nobody can try which they were."""
    return hmac.digest(secret.key, msgspec.json.encode([secret.address, secret.browser]), "sha256")


def broken(entries: Iterable[Entry], heads: dict[int, bytes]) -> str | None:
    """What is wrong with a chain, or None.

    Args:
        entries: the whole chain in its order.
        heads: hashes by number, as they were kept elsewhere.
    """
    number, previous = 0, BEGINNING
    for entry in entries:
        number += 1
        if entry.number != number:
            return f"entry {number} is missing: {entry.number} follows {number - 1}"
        if entry.previous != previous:
            return f"entry {number} does not follow entry {number - 1}: one of them is not what was written"
        if entry.hash != hash_of(entry):
            return f"entry {number} is not what was written: its hash does not agree"
        if heads.get(number, entry.hash) != entry.hash:
            return f"entry {number} is not the one whose hash was kept apart: the chain was written anew"
        previous = entry.hash
    last = max(heads, default=0)
    if last > number:
        return f"the chain ends at entry {number}, and entry {last} was kept apart: its end was cut off"
    return None
