"""Which errors are answers for the person at the terminal, and how they read."""

from collections.abc import Iterator
from contextlib import contextmanager


class CommandError(Exception):
    """A command cannot do what it was asked; the message is a sentence that says why and what to do."""


@contextmanager
def database_expected() -> Iterator[None]:
    """Turn what keeps a connection from being made, or a statement from being obeyed, into `CommandError`."""
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, asyncpg.PostgresError | OSError | TimeoutError):
            cause = cause.__cause__  # SQLAlchemy's dialect wraps what asyncpg raised, twice
        if isinstance(cause, asyncpg.PostgresError):
            # The message alone: PostgreSQL puts people's data into the detail.
            raise CommandError(f"The database answered: {cause.args[0]}.") from error
        reason = getattr(cause, "strerror", None) or "no answer in time"
        raise CommandError(
            f"The database cannot be reached ({reason}); is it running, and is its address right?"
        ) from error


def sentences(error: Exception) -> list[str]:
    """What to print instead of a traceback; nothing where the error is a defect of ours."""
    import msgspec

    from coravet.adapters.local import LocalError
    from coravet.adapters.postgres.migrate import MigrationRefused
    from coravet.core.kernel.errors import DomainError, Invalid
    from coravet.settings import SettingsError

    match error:
        case SettingsError():
            return error.problems
        case Invalid() if error.errors:
            return [f"{field.pointer.strip('/') or 'input'}: {field.detail}" for field in error.errors]
        case DomainError():
            return [error.detail]
        case msgspec.ValidationError():  # names the field after a dollar sign
            return [f"{error}."]
        case CommandError() | LocalError() | MigrationRefused():
            return [str(error)]
    return []
