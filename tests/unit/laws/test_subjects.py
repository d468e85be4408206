"""Every table states how it relates to a client, so that a later table forgets nobody who is exported or erased."""

from coravet.adapters.postgres.privacy.subject import RELATES, UNRELATED
from coravet.adapters.postgres.tables import metadata


def test_stated() -> None:
    """A table relates to clients in a stated way, or does not for a stated reason."""
    assert set(RELATES) & set(UNRELATED) == set()
    assert set(RELATES) | set(UNRELATED) == set(metadata.tables)


def test_whoever_refers_relates() -> None:
    """A table that refers to what is a client's is so itself, unless what it refers to is only handed in."""
    related = set(RELATES)
    refers = {
        name
        for name, table in metadata.tables.items()
        if related & {key.column.table.name for key in table.foreign_keys}
        or {"client_id", "patient_id"} & set(table.columns.keys())
    }
    assert refers - related == set()
