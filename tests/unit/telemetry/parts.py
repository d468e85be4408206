"""A stderr that remembers, and errors that quote somebody."""

import io
import json
from typing import Any

import asyncpg
import msgspec
import pydantic
from sqlalchemy.exc import IntegrityError


class Written(io.StringIO):
    """A stderr that remembers.

    Attributes:
        terminal: whether it says it is one.
    """

    terminal = False

    def isatty(self) -> bool:
        return self.terminal

    def lines(self) -> list[dict[str, Any]]:
        """Every line as JSON; a line that is none fails the test."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


def unique_violation(canary: str) -> None:
    """What a driver says of a row that exists already, as SQLAlchemy hands it on."""
    original = asyncpg.PostgresError.new(
        {
            "C": "23505",
            "M": f"duplicate key value violates unique constraint ({canary})",
            "D": f"Key (email)=({canary}) already exists.",
            "n": "uq_clients_email",
            "t": "clients",
        },
        query=f"VALUES ('{canary}')",
    )
    try:
        raise original
    except asyncpg.PostgresError as error:
        raise IntegrityError("INSERT INTO clients (email) VALUES ($1)", (canary,), error) from error


def _msgspec(canary: str) -> None:
    msgspec.json.decode(f'{{"{canary}": 5}}', type=dict[str, str])


def _pydantic(canary: str) -> None:
    pydantic.TypeAdapter(int).validate_python(canary)


def _key(canary: str) -> None:
    {}[canary]


def _number(canary: str) -> None:
    int(canary)


def _bytes(canary: str) -> None:
    canary.encode().__add__(b"\xff").decode()


def _file(canary: str) -> None:
    open(f"/nowhere/{canary}").close()  # noqa: PTH123 - what it raises is meant


def _noted(canary: str) -> None:
    error = RuntimeError("the pool is closed")
    error.add_note(f"while asking for {canary}")
    raise error


def _group(canary: str) -> None:
    raise ExceptionGroup("some failed", [ValueError(canary), KeyError(canary)])


def _chained(canary: str) -> None:
    try:
        int(canary)
    except ValueError:
        raise RuntimeError("no number") from None


class _Posing(Exception):
    """Not PostgreSQL's, though it has a field of that name."""

    constraint_name: str


def _posing(canary: str) -> None:
    error = _Posing(canary)
    error.constraint_name = canary
    raise error


def _in_context(canary: str) -> None:
    try:
        int(canary)
    finally:
        raise LookupError(canary)


TELLTALES = [
    unique_violation,
    _msgspec,
    _pydantic,
    _key,
    _number,
    _bytes,
    _file,
    _noted,
    _group,
    _chained,
    _in_context,
    _posing,
]
