"""Words that stand nowhere else, and where they are left: in a dump, in logs, in reports, in files."""

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from coravet.adapters.local.postgres import _binaries
from coravet.core.kernel.text import fold
from coravet.settings import Settings


class Left(NamedTuple):
    """A canary that was found.

    Attributes:
        canary: what it was planted as.
        where: the table, or what else was searched.
        line: the row or line.
    """

    canary: str
    where: str
    line: str


class Canaries:
    """Words of one person, each under the name of the field that it is planted in; the same seed makes the same."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 -- nobody is to be kept from guessing them
        self.planted: dict[str, str] = {}

    def word(self, field: str) -> str:
        """A word of a name's letters, one with a mark among them."""
        letters = self._random.choices("bcdfghjklmnpqrstvwxz", k=11)
        return self._kept(field, "Ñ" + "".join(letters) + "é")

    def text(self, field: str) -> str:
        """A sentence with such a word in it."""
        return f"Según la dueña, {self.word(field)} lo sabe."

    def digits(self, field: str, count: int) -> str:
        """A number that begins with 7, so that no zero is dropped."""
        return self._kept(field, "7" + "".join(self._random.choices("123456789", k=count - 1)))

    def phone(self, field: str) -> str:
        """A mobile of Ecuador as people write it; what is looked for is what all its forms have in common."""
        return f"099{self.digits(field, 7)}"

    def passport(self, field: str) -> str:
        """A passport's number."""
        return self._kept(field, "".join(self._random.choices("BCDFGHJKLMNPQRSTVWXZ", k=12)))

    def mail(self, field: str) -> str:
        """A mail address."""
        letters = "".join(self._random.choices("bcdfghjklmnpqrstvwxz", k=12))
        return f"{self._kept(field, letters)}@correo.test"

    def _kept(self, field: str, word: str) -> str:
        assert field not in self.planted, f"{field} is planted twice"
        self.planted[field] = word
        return word

    def left_in(self, text: str, where: str) -> list[Left]:
        """What of them stands in a text, however it is spelled."""
        lowered = text.lower()
        found = {
            canary
            for canary, (spelled, exact) in self._spellings.items()
            if any(each in lowered for each in spelled) or any(each in text for each in exact)
        }
        return [Left(canary, where, "") for canary in sorted(found)]

    def left_in_dump(self, dump: str) -> list[Left]:
        """What of them stands in a plain dump, row by row."""
        if not self.left_in(dump, "dump"):
            return []
        return [
            Left(each.canary, table, line)
            for table, line in rows_of(dump)
            for each in (self.left_in(line, table) if self._any.search(line.lower()) or self._exact(line) else [])
        ]

    def _exact(self, line: str) -> bool:
        return any(each in line for _, exact in self._spellings.values() for each in exact)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(each) for spelled, _ in self._spellings.values() for each in spelled))

    @cached_property
    def _spellings(self) -> dict[str, tuple[list[str], list[str]]]:
        return {canary: spellings(word) for canary, word in self.planted.items()}


def spellings(word: str) -> tuple[list[str], list[str]]:
    """How a word may stand in a text: in lower case, to be looked for in lower case, and as Base64, where case counts.

    As it is or folded, backwards (as numbers are kept for searching), as JSON and addresses escape it, or as bytes in
    hexadecimal digits, as a dump has them.
    """
    forms = {word, word.lower(), word.upper(), fold(word), fold(word).upper()}
    spelled, exact = set(), set()
    for form in forms:
        raw = form.encode()
        spelled |= {form, form[::-1], json.dumps(form)[1:-1], quote(form), raw.hex(), form.encode("latin-1").hex()}
        for before in range(3):
            whole = base64.b64encode(b"\0" * before + raw).decode()
            # The first and last characters hold bits of what stands beside it.
            inner = whole[(0, 2, 3)[before] :].rstrip("=")[: -1 if whole.endswith("=") else None]
            exact |= {inner, inner.replace("+", "-").replace("/", "_")}
    return sorted({each.lower() for each in spelled}), sorted(exact)


def rows_of(dump: str) -> Iterator[tuple[str, str]]:
    """The rows of a plain dump with the names of their tables; whatever is no row stands under `schema`."""
    table = "schema"
    for line in dump.split("\n"):
        if line == "\\.":
            table = "schema"
        yield table, line
        if line.startswith("COPY ") and line.endswith(" FROM stdin;"):
            table = line.split()[1].removeprefix("public.")


def counts_of(dump: str) -> dict[str, int]:
    """How many rows each table has."""
    counts: dict[str, int] = {}
    for table, line in rows_of(dump):
        if line.startswith("COPY ") and line.endswith(" FROM stdin;"):
            counts[line.split()[1].removeprefix("public.")] = 0
        elif table != "schema":
            counts[table] += 1
    return counts


def pg_dump(settings: Settings) -> str:
    """Everything in the database, in all schemas, as text."""
    return _run("pg_dump", "--format=plain", "--dbname", _admin(settings)).decode()


def back_up(settings: Settings, to: Path) -> None:
    """A backup as operators make it."""
    _run("pg_dump", "--format=custom", "--file", str(to), "--dbname", _admin(settings))


def restore(backup: Path, into: Settings) -> None:
    """The backup in an empty database."""
    _run("pg_restore", "--exit-on-error", "--dbname", _admin(into), str(backup))


def _admin(settings: Settings) -> str:
    assert settings.database_admin_url is not None
    return settings.database_admin_url.get_secret_value()


def _run(tool: str, *words: str) -> bytes:
    ended = subprocess.run(  # noqa: S603 -- our own tool and arguments
        [_binaries() / tool, *words], capture_output=True, check=False, env=os.environ | {"PGCONNECT_TIMEOUT": "10"}
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout
