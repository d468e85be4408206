"""Erasing reaches every column that tells of a client, or says why it does not."""

from coravet.adapters.postgres.privacy.erasure import (
    ENDS,
    HELD_AS,
    OF_MEMBERS,
    REPLACEMENTS,
    cut_columns,
    erased_columns,
    of_patients,
)
from coravet.adapters.postgres.privacy.subject import RELATES, UNRELATED
from coravet.adapters.postgres.tables import metadata

NO_CLIENTS = {
    "account_erasures",
    "calendar_feeds",
    "clinics",
    "closures",
    "departures",
    "exceptions",
    "invitations",
    "members",
    "note_templates",
    "operators",
    "resources",
    "users",
}
"""Tables with personal columns of those who work in clinics, or run the service."""

BY_THEMSELVES = {
    "idempotency_keys": "answers that name the person are deleted",
    "import_parts": "files that were handed in are, once they were imported",
    "imports": "what names the person is cleared",
}
"""Tables that relate to no single client, and what erasing does to them."""


def _personal() -> set[str]:
    return {
        name
        for name, table in metadata.tables.items()
        if any(column.info["privacy"].on_erasure != "keep" for column in table.columns)
    }


def test_every_table() -> None:
    """A table with personal columns is gone through, handled by itself, or of others than clients."""
    gone_through = {name for name in RELATES if erased_columns(metadata.tables[name])}
    cut_only = {name for name in RELATES if cut_columns(metadata.tables[name])}
    assert _personal() - gone_through - cut_only == (NO_CLIENTS & _personal()) | set(BY_THEMSELVES)
    assert set(BY_THEMSELVES) | (NO_CLIENTS & _personal()) <= set(UNRELATED)


def test_every_category() -> None:
    """Each table that is cleared is held back under a rule, or not at all."""
    assert set(HELD_AS) == {name for name in RELATES if erased_columns(metadata.tables[name])}


def test_patients_texts() -> None:
    """What is told of an animal that another keeps is looked through: every text that somebody may have written."""
    for name in RELATES:
        table = metadata.tables[name]
        if cut_columns(table) and "patient_id" in table.columns:
            assert of_patients(table) is not None, name
    for name in ("addenda", "set_aside_notes", "prescription_items", "problem_changes", "appointment_transitions"):
        assert of_patients(metadata.tables[name]) is not None, name


def test_names_of_columns() -> None:
    """What is said of single columns is said of columns that there are."""
    known = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns}
    listed = [f"{table}.{column}" for table, columns in (OF_MEMBERS | ENDS).items() for column in columns]
    assert {*listed, *REPLACEMENTS} <= known


def test_replaced_columns_hold_the_word() -> None:
    """What cannot hold the word that stands for what was erased has a value of its own."""
    for name in RELATES:
        for column in erased_columns(metadata.tables[name]):
            if column.info["privacy"].on_erasure == "replace" and str(column.type).upper() != "TEXT":
                assert f"{name}.{column.name}" in REPLACEMENTS, f"{name}.{column.name}"
