"""What is done with data about people is on record, all of it and once."""

from collections import Counter
from pathlib import Path

import pytest

from coravet.adapters.postgres.privacy.columns import stored_columns
from coravet.adapters.postgres.privacy.subject import RELATES
from coravet.adapters.postgres.tables import metadata
from coravet.core.privacy.activities import ACTIVITIES
from coravet.core.privacy.record import Language, record

DOCS = Path(__file__).parents[3] / "docs"


def test_every_table_once() -> None:
    """Each table that tells of people belongs to exactly one activity: by a column that does, or as a client's."""
    telling = {column.table for column in stored_columns() if column.privacy.kind != "none"} | set(RELATES)
    covered = Counter(table for activity in ACTIVITIES for table in activity.tables)
    assert [table for table, times in covered.items() if times > 1] == []
    assert telling - set(covered) == set(), "put these tables into an activity of core/privacy/activities.py"
    assert set(covered) - set(metadata.tables) == set()


@pytest.mark.parametrize(
    ("language", "name"), [("es", "record-of-processing.md"), ("en", "record-of-processing.en.md")]
)
def test_published(language: Language, name: str) -> None:
    """The record in docs/ is the one that the tables make."""
    wanted = record(stored_columns(), language)
    assert (DOCS / name).read_text() == wanted, f"coravet privacy record --language {language} > docs/{name}"


def test_every_column_named() -> None:
    """Each column that tells of people stands in the record with its class."""
    told = record(stored_columns(), "en")
    for column in stored_columns():
        if column.privacy.kind != "none":
            assert f"| `{column.table}` | `{column.name}` | {column.privacy.kind.replace('_', ' ')} |" in told
