"""`coravet migrate`."""

import asyncio


def migrate() -> None:
    """Make the database roles where they are missing, and bring the schema up to date.

    Connects with `DATABASE_ADMIN_URL`: a role that may create roles, or the owner role itself once the roles exist.
    The application role is taken from `DATABASE_URL`, with its password. Running it again changes nothing.

    **Example**: `DATABASE_ADMIN_URL=postgresql://postgres@/coravet coravet migrate`
    """
    from coravet.adapters.postgres.migrate import migrate as bring_up_to_date
    from coravet.entrypoints.cli.refusals import database_expected
    from coravet.settings import load

    settings = load()
    with database_expected():
        asyncio.run(bring_up_to_date(settings, print))
