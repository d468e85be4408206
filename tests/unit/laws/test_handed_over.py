"""What a person is handed of each table is decided, and told in words that people read."""

from coravet.adapters.postgres.exchange.dump import described
from coravet.adapters.postgres.privacy.holdings import (
    INFERRED,
    INFERRED_ROWS,
    KEPT_BACK,
    NOT_SHOWN,
    STANDING,
    handed_over,
    shown,
)
from coravet.adapters.postgres.privacy.subject import RELATES
from coravet.adapters.postgres.tables import metadata
from coravet.core.exchange.glossary import COLUMNS
from coravet.core.privacy.page import title_of
from coravet.core.privacy.words import WORDS

COLUMN_NAMES = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns}
SHOWN = {f"{table.name}.{column.name}" for table in handed_over() for column in shown(table)}


def test_decided() -> None:
    """A table with rows about clients is handed over, or kept back for a reason; what is listed is there."""
    assert {table.name for table in handed_over()} | set(KEPT_BACK) == set(RELATES)
    assert set(KEPT_BACK) <= set(RELATES)
    assert set(NOT_SHOWN) <= COLUMN_NAMES
    assert set(INFERRED) <= SHOWN
    assert set(INFERRED_ROWS) | set(STANDING) <= {table.name for table in handed_over()}


def test_all_that_tells_of_them_is_shown() -> None:
    """Of a table that is handed over each column that tells of a person is, but for what is derived or secret."""
    telling = {
        f"{table.name}.{column.name}"
        for table in handed_over()
        for column in table.columns
        if column.info["privacy"].kind != "none"
    }
    assert telling - SHOWN == {
        "acceptance_evidence.key",
        "clients.name_key",
        "clients.search_key",
        "identifiers.value_key",
        "import_rows.chips",
        "import_rows.document",
        "import_rows.further_phones",
        "import_rows.phone",
        "patients.search_key",
    }


def test_words() -> None:
    """Each table, column and fixed word that people read has its words in Spanish and in English."""
    for table in handed_over():
        assert title_of(str(table.name)).es != table.name, table.name
        for column in shown(table):
            said = described(table, column)
            assert said.kind.startswith("uuid") or column.name in COLUMNS, f"{table.name}.{column.name}"
            assert set(said.values) <= set(WORDS), f"{table.name}.{column.name}"
