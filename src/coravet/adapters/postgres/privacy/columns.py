"""What is stored about people, as the tables declare it."""

from coravet.adapters.postgres.tables import metadata
from coravet.core.privacy.classification import StoredColumn


def stored_columns() -> list[StoredColumn]:
    """Every column of every table, by the tables' names and in the columns' order."""
    return [
        StoredColumn(name, str(column.name), column.info["privacy"])
        for name, table in sorted(metadata.tables.items())
        for column in table.columns
    ]
