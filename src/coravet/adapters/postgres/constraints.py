"""What the database refused, in the domain's words: by the constraint's name, never by its message."""

from collections.abc import Callable

from asyncpg import exceptions as pg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from coravet.core.kernel.errors import Conflict, DomainError, Duplicate, Invalid, NotFound, StaleVersion, Unavailable
from coravet.core.scheduling.errors import SlotTaken

BY_NAME: dict[str, Callable[[], DomainError]] = {
    "uq_clinics_slug": lambda: Duplicate("A clinic with this address exists already. Choose another slug."),
    "uq_members_user": lambda: Duplicate("This person is a member of the clinic already."),
    "uq_clients_document": lambda: Duplicate(
        "Another client of this clinic has this document. Search for the number to find them."
    ),
    "uq_identifiers_chip": lambda: Duplicate(
        "Another patient of this clinic has this chip. Search for the number, and end it there first."
    ),
    "uq_identifiers_patient": lambda: Duplicate("This patient has this identifier already."),
    "uq_encounters_appointment": lambda: Duplicate("This visit has an encounter already. Write in that one."),
    "ex_allocations_slot": SlotTaken,
    # It was found a moment ago, and is closed since.
    "ck_outbox_open_clinic": NotFound,
}
"""Constraints that a well-formed request may meet. Others are checked before; meeting one is a fault of ours."""


class Contended(Conflict):
    """Two works waited for each other and this one gave way."""

    code = "contended"
    title = "Changed at the same time"

    def __init__(self) -> None:
        super().__init__("Somebody changed the same thing at the same moment. Repeat your change.")


def domain_error(error: BaseException) -> DomainError | None:  # noqa: PLR0911 -- a table, written as a match
    """What `error` means to the domain, or None where it is a fault."""
    if isinstance(error, StaleDataError):
        return StaleVersion()
    if isinstance(error, PoolTimeout):
        return Unavailable("Too much is going on at this moment. Try again.")
    cause = error.__cause__ if isinstance(error, DBAPIError) else error
    original = getattr(error, "orig", None)
    driver = getattr(original, "__cause__", None) or cause
    match driver:
        case pg.DeadlockDetectedError() | pg.SerializationError():
            return Contended()
        case pg.ForeignKeyViolationError():
            return NotFound()
        case pg.CharacterNotInRepertoireError():
            return Invalid("A text holds a character that cannot be stored (U+0000). Remove it.")
        case pg.IntegrityConstraintViolationError():
            make = BY_NAME.get(driver.constraint_name or "")
            return make() if make else None
        case (
            pg.PostgresConnectionError()
            | pg.CannotConnectNowError()
            | pg.AdminShutdownError()
            | pg.CrashShutdownError()
            | pg.TooManyConnectionsError()
            | pg.QueryCanceledError()
        ):
            return Unavailable("The database does not answer. Try again.")
    if isinstance(driver, OSError | TimeoutError | pg.InterfaceError | pg.InternalClientError) or isinstance(
        error, OperationalError | InterfaceError
    ):
        return Unavailable("The database does not answer. Try again.")
    return None
