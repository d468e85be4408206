"""The statements that guard a table, as migrations run them.

Revisions call these functions, so what one does never changes once it has shipped: another way gets another function.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

CURRENT_CLINIC = "(SELECT current_setting('app.clinic_id')::uuid)"
"""The work's clinic. Without one this is an error, so that a query without a scope fails instead of finding nothing.
Wrapped in a sub-select it is evaluated once a query, not once a row."""


def roles() -> tuple[str, str]:
    """The names of the application's and the system's role, as `coravet migrate` set them."""
    config = op.get_context().config
    if config is None:
        raise RuntimeError("migrations need Alembic's configuration: run `coravet migrate`")
    prefix = config.attributes["role_prefix"]
    return f"{prefix}_app", f"{prefix}_system"


def guard(table: str, grants: str, *, own: str | None = None) -> None:
    """Enable and force row-level security: the application sees its clinic's rows, the system all.

    Args:
        grants: what the application may do, such as `SELECT, INSERT`.
        own: the condition under which a row is the work's; by default its `clinic_id`. An empty text: never.
    """
    app, system = roles()
    own = f"clinic_id = {CURRENT_CLINIC}" if own is None else own
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    if own:
        op.execute(f"CREATE POLICY own_clinic ON {table} USING ({own}) WITH CHECK ({own})")
    op.execute(f"CREATE POLICY system ON {table} TO {system} USING (true) WITH CHECK (true)")
    if grants:
        op.execute(f"GRANT {grants} ON {table} TO {app}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {system}")


@contextmanager
def past_policies(*tables: str) -> Iterator[None]:
    """Let the owner see all rows of its tables meanwhile, so that a new foreign key is checked against every one."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


@contextmanager
def as_system() -> Iterator[None]:
    """Run statements as the system's role, which may create functions only meanwhile."""
    _, system = roles()
    owner = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    op.execute(f"GRANT CREATE ON SCHEMA public TO {system}")
    op.execute(f"SET LOCAL ROLE {system}")
    yield
    op.execute(f"SET LOCAL ROLE {owner}")
    op.execute(f"REVOKE CREATE ON SCHEMA public FROM {system}")


def system_function(signature: str, declaration: str) -> None:
    """Create a function that runs as the system and that only the application may call.

    Args:
        signature: name and argument types, as in `DROP FUNCTION`.
        declaration: from `CREATE FUNCTION` to its body, without SECURITY or search path.
    """
    app, _ = roles()
    with as_system():
        op.execute(declaration)
        op.execute(f"ALTER FUNCTION {signature} SECURITY DEFINER SET search_path = public, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO {app}")


def drop_system_function(signature: str) -> None:
    """Drop what `system_function` made."""
    with as_system():
        op.execute(f"DROP FUNCTION {signature}")


def append_only(table: str, *, clearable: str) -> None:
    """Let nobody change or delete the table's rows, its owner and the system included.

    Args:
        clearable: the one column that may be set to null, so that a person can be erased from what was written there.
    """
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP = 'UPDATE' AND NEW.{clearable} IS NULL"
        f" AND to_jsonb(NEW) - '{clearable}' = to_jsonb(OLD) - '{clearable}' THEN RETURN NEW; END IF;"
        f" RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation'; END $$"
    )
    _keep(table)


def drop_append_only(table: str) -> None:
    """Drop what `append_only` made."""
    for name in ("row", "all"):
        op.execute(f"DROP TRIGGER keep_{table}_{name} ON {table}")
    op.execute(f"DROP FUNCTION keep_{table}()")


def settled(table: str, *, may_set: tuple[str, ...]) -> None:
    """Let nobody delete the table's rows or change them, its owner and the system included.

    Args:
        may_set: columns that are null in a new row and may each be filled once; none, where nothing may change.
    """
    once = ", ".join(f"'{column}'" for column in may_set)
    kept = "".join(f" AND (OLD.{column} IS NULL OR NEW.{column} = OLD.{column})" for column in may_set)
    op.execute(
        f"CREATE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY[{once}]::text[] = to_jsonb(OLD) - ARRAY[{once}]::text[]"
        f"{kept} THEN RETURN NEW; END IF;"
        f" RAISE EXCEPTION '{table} is settled when it is written' USING ERRCODE = 'restrict_violation'; END $$"
    )
    _keep(table)


def drop_settled(table: str) -> None:
    """Drop what `settled` made."""
    drop_append_only(table)


def erasable(table: str, columns: tuple[str, ...]) -> None:
    """Let an erasure clear these texts of a table whose rows are kept, or cut a person out of them; nothing else.

    It changes none of the functions that keep the table: they are not asked about a change that anonymises, made by
    the system within an erasure of that clinic that is not completed. Deletion and truncation stay refused.
    """
    _keep_rows(table, "DELETE ON {}")
    listed = "{" + ",".join(columns) + "}"
    op.execute(
        f"CREATE TRIGGER keep_{table}_change BEFORE UPDATE ON {table} FOR EACH ROW"
        f" WHEN (NOT (erasing(OLD.clinic_id) AND anonymises(to_jsonb(OLD), to_jsonb(NEW), '{listed}')))"
        f" EXECUTE FUNCTION keep_{table}()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER keep_{table}_change")


def drop_erasable(table: str) -> None:
    """Keep the table as it was kept before `erasable`."""
    op.execute(f"DROP TRIGGER keep_{table}_change ON {table}")
    _keep_rows(table, "UPDATE OR DELETE ON {}")


def _keep_rows(table: str, when: str) -> None:
    """Have `keep_<table>()` decide about other changes of rows than before."""
    op.execute(f"DROP TRIGGER keep_{table}_row ON {table}")
    op.execute(
        f"CREATE TRIGGER keep_{table}_row BEFORE {when.format(table)} FOR EACH ROW EXECUTE FUNCTION keep_{table}()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER keep_{table}_row")


def _keep(table: str) -> None:
    """Have `keep_<table>()` decide about every change, deletion and truncation."""
    op.execute(f"REVOKE ALL ON FUNCTION keep_{table}() FROM PUBLIC")
    for name, when in (("row", "UPDATE OR DELETE ON {} FOR EACH ROW"), ("all", "TRUNCATE ON {} FOR EACH STATEMENT")):
        trigger = f"keep_{table}_{name}"
        op.execute(f"CREATE TRIGGER {trigger} BEFORE {when.format(table)} EXECUTE FUNCTION keep_{table}()")
        # Also where a session poses as a replica, which skips other triggers.
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
