"""Optimistic locking: a change names the version it was made from."""

from typing import Protocol

from msgspec import UNSET, UnsetType

from coravet.core.kernel.errors import StaleVersion


class Versioned(Protocol):
    """A row that counts its changes."""

    version: int


def advance(row: Versioned, seen: int | UnsetType) -> None:
    """Count one more change of a row that the caller saw at version `seen`, or (unset) is changed as it stands.

    Raises:
        StaleVersion: somebody else changed it since; carries the current version.
    """
    if seen is not UNSET and row.version != seen:
        raise StaleVersion(row.version)
    row.version += 1
