"""What all tables share: the metadata, the naming of constraints, and columns that state their privacy class."""

from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID
from sqlalchemy.orm import registry

from coravet.core.privacy.classification import NOTHING, Classification

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
mapping = registry(metadata=metadata)

Instant = TIMESTAMP(timezone=True)


def column(name: str, kind: Any, *constraints: Any, privacy: Classification = NOTHING, **options: Any) -> Column[Any]:
    """A column, not null unless said otherwise, that states what it says about a person."""
    options.setdefault("nullable", False)
    return Column(name, kind, *constraints, info={"privacy": privacy}, **options)


def tenant_table(name: str, *parts: Any) -> Table:
    """A table of a clinic's rows: `clinic_id` leads the primary key and every row belongs to a clinic that exists."""
    return Table(
        name,
        metadata,
        column("clinic_id", UUID),
        column("id", UUID),
        PrimaryKeyConstraint("clinic_id", "id"),
        ForeignKeyConstraint(["clinic_id"], ["clinics.id"], ondelete="RESTRICT"),
        *parts,
    )


def belongs_to(column_name: str, table: str) -> ForeignKeyConstraint:
    """A reference that cannot leave the clinic: PostgreSQL checks foreign keys past row-level security."""
    return ForeignKeyConstraint(["clinic_id", column_name], [f"{table}.clinic_id", f"{table}.id"], ondelete="RESTRICT")
