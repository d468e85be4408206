"""Every line that the process writes is one JSON object, and none of them names anybody."""

import asyncio
import gc
import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import structlog
from pydantic import SecretStr
from tests.unit.telemetry.parts import Written, unique_violation

from coravet.core.kernel.errors import Unavailable

log = structlog.get_logger("coravet.somewhere")


class Person(msgspec.Struct):
    name: str


class Kind(Enum):
    DOG = "dog"


def _raised(raise_it: Callable[..., object], *args: object) -> BaseException:
    try:
        raise_it(*args)
    except Exception as error:  # noqa: BLE001 - every one of them
        return error
    raise AssertionError("nothing was raised")


def _types(line: dict[str, Any]) -> list[str]:
    return [one["type"] for one in line["exception"]]


def test_an_error_is_told_without_what_it_quotes(written: Written, telltale: BaseException, canary: str) -> None:
    """An exception is logged with its type and where it was raised, and with nothing of what it quotes."""
    log.error("request failed", exc_info=telltale)
    text = written.getvalue()
    assert canary not in text
    assert type(telltale).__qualname__ in text
    assert f"{Path(__file__).with_name('parts.py')}:" in text


def test_an_error_in_a_terminal(start: Callable[..., Written], telltale: BaseException, canary: str) -> None:
    """The readable form tells no more than JSON does."""
    written = start(CORAVET_LOG_FORMAT="console")
    log.error("request failed", exc_info=telltale)
    text = written.getvalue()
    assert canary not in text
    assert type(telltale).__qualname__ in text
    assert "parts.py:" in text


def test_what_the_database_says_of_our_names(start: Callable[..., Written], canary: str) -> None:
    """Of a violated constraint its SQLSTATE and name are kept, which say all that a developer needs."""
    error = _raised(unique_violation, canary)
    written = start()
    log.error("request failed", exc_info=error)
    [line] = written.lines()
    assert _types(line) == ["sqlalchemy.exc.IntegrityError", "asyncpg.exceptions.UniqueViolationError"]
    cause = line["exception"][1]
    assert (cause["because"], cause["sqlstate"], cause["constraint_name"], cause["table_name"]) == (
        "cause",
        "23505",
        "uq_clients_email",
        "clients",
    )
    readable = start(CORAVET_LOG_FORMAT="console")
    log.error("request failed", exc_info=error)
    assert "UniqueViolationError (sqlstate 23505, constraint_name uq_clients_email, " in readable.getvalue()


def test_messages_that_are_told(written: Written) -> None:
    """Our own errors and those that speak of code keep their message: they quote nobody."""
    for error in (Unavailable("The identity provider does not answer."), RuntimeError("Event loop is closed")):
        log.error("failed", exc_info=error, again=error)
    first, second = written.lines()
    told = "coravet.core.kernel.errors.Unavailable: The identity provider does not answer."
    assert (_types(first), first["again"]) == ([told], told)
    assert (_types(second), second["again"]) == (["RuntimeError: Event loop is closed"], second["exception"][0]["type"])


def test_an_error_s_errors(written: Written) -> None:
    """Causes, contexts and the members of a group are told, each once, also where they go round in a circle."""
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__context__ = two, one
    log.error("failed", exc_info=ExceptionGroup("both", [one, two]))
    [line] = written.lines()
    assert [(each["type"], each.get("because")) for each in line["exception"]] == [
        ("ExceptionGroup", None),
        ("RuntimeError: one", "group"),
        ("RuntimeError: two", "cause"),
    ]


def test_what_it_was_about(written: Written) -> None:
    """The error during whose handling another was raised is told with it, unless the author cut it off."""

    def careless() -> None:
        try:
            int("x")
        except ValueError:
            raise RuntimeError("careless")  # noqa: B904 - on purpose

    def careful() -> None:
        try:
            int("x")
        except ValueError:
            raise RuntimeError("careful") from None

    for raise_it in (careless, careful):
        log.error("failed", exc_info=_raised(raise_it))
    first, second = written.lines()
    assert [(each["type"], each.get("because")) for each in first["exception"]] == [
        ("RuntimeError: careless", None),
        ("ValueError", "context"),
    ]
    assert _types(second) == ["RuntimeError: careful"]


def test_what_the_system_says(written: Written) -> None:
    """An error of the operating system keeps its number; its message names a file."""
    log.error("failed", exc_info=_raised(Path("/nowhere/at-all").read_text))
    [line] = written.lines()
    assert (_types(line), line["exception"][0]["errno"]) == (["FileNotFoundError"], 2)


def test_a_deep_stack_is_cut(written: Written) -> None:
    """Of a runaway recursion the innermost 50 frames are logged, not a thousand."""

    def again() -> None:
        again()

    try:
        again()
    except RecursionError:
        log.exception("failed")
    [line] = written.lines()
    assert len(line["exception"][0]["frames"]) == 50
    assert all(frame.endswith("again") for frame in line["exception"][0]["frames"])


def test_the_facts_of_a_line(written: Written) -> None:
    """A line says when (UTC), how grave, by whom, what, and to which request it belongs."""
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        log.info("booked", appointment_id=UUID(int=7))
    [line] = written.lines()
    instant = datetime.fromisoformat(line.pop("timestamp"))
    assert instant.utcoffset() == timedelta()
    assert abs(datetime.now(UTC) - instant) < timedelta(seconds=5)
    assert line == {
        "level": "info",
        "logger": "coravet.somewhere",
        "event": "booked",
        "request_id": "r-1",
        "appointment_id": str(UUID(int=7)),
    }


def test_a_library_s_line(written: Written) -> None:
    """A library's record comes out with the same facts, request id included."""
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("some.library").warning("%d connections lost", 3)
    [line] = written.lines()
    del line["timestamp"]
    assert line == {
        "level": "warning",
        "logger": "some.library",
        "event": "3 connections lost",
        "request_id": "r-1",
    }


def test_libraries_are_quiet(written: Written) -> None:
    """Below WARNING libraries are not heard, whichever they are; we are."""
    for name in ("httpx", "sqlalchemy.engine", "google.auth", "firebase_admin", "urllib3", "one.never.thought.of"):
        logging.getLogger(name).info("chatter")
    log.debug("details")
    log.info("ours")
    logging.getLogger("alembic.runtime.migration").info("Running upgrade")
    assert [line["event"] for line in written.lines()] == ["ours", "Running upgrade"]


def test_the_level_is_kept(start: Callable[..., Written]) -> None:
    """At `error`, warnings of ours and of libraries are silent."""
    written = start(CORAVET_LOG_LEVEL="error")
    log.warning("ours")
    logging.getLogger("some.library").warning("theirs")
    log.error("grave")
    assert [line["event"] for line in written.lines()] == ["grave"]


def test_an_error_as_an_argument(written: Written, telltale: BaseException, canary: str) -> None:
    """Libraries put errors into their sentences: there, too, they are told without what they quote."""
    logging.getLogger("some.library").warning("retrying after %s: %r", telltale, telltale)
    log.warning("retrying", error=telltale)
    text = written.getvalue()
    assert canary not in text
    assert text.count(type(telltale).__qualname__) == 3


def test_objects_show_their_type_alone(written: Written, canary: str) -> None:
    """An object that is logged by mistake shows its type, wherever it stands."""
    person = Person(canary)
    log.info("seen", one=person, many=[person, {"it": (person, {person.name: 1}.values())}], secret=SecretStr(canary))
    [line] = written.lines()
    assert line["one"] == "<Person>"
    assert line["many"] == ["<Person>", {"it": ["<Person>", "<dict_values>"]}]
    assert line["secret"] == "<SecretStr>"


def test_plain_values(written: Written) -> None:
    """Plain values come out as JSON has them."""
    log.info(
        "seen",
        at=datetime(2026, 11, 23, 14, tzinfo=UTC),
        day=date(2026, 11, 23),
        took=timedelta(seconds=1.5),
        kind=Kind.DOG,
        path=Path("/a"),
        none=None,
        yes=True,
        infinite=float("inf"),
        roles=frozenset({"vet"}),
        long="x" * 3000,
        odd="\udcff\n",
    )
    [line] = written.lines()
    assert (line["at"], line["day"], line["took"]) == ("2026-11-23T14:00:00+00:00", "2026-11-23", 1.5)
    assert (line["kind"], line["path"], line["none"], line["yes"]) == ("dog", "/a", None, True)
    assert (line["infinite"], line["roles"], len(line["long"]), line["odd"]) == ("inf", ["vet"], 2001, "\udcff\n")


async def test_a_task_that_nobody_awaited(written: Written, canary: str) -> None:
    """asyncio writes the task, with its exception, into the message: what failed and where is kept of it."""

    async def fail(secret: str) -> None:
        raise ValueError(secret)

    task = asyncio.create_task(fail(canary))
    await asyncio.wait([task])
    del task
    gc.collect()
    text = written.getvalue()
    assert canary not in text
    assert '"event": "Task exception was never retrieved"' in text
    assert "fail" in text


async def test_a_callback_that_failed(written: Written, canary: str) -> None:
    """asyncio writes a callback's arguments into the message: they are cut."""
    asyncio.get_running_loop().call_soon(int, canary)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    [line] = written.lines()
    assert canary not in str(line)
    assert line["event"].startswith("Exception in callback")
    assert _types(line) == ["ValueError"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        ("ValueError: {0}\n{0}", "ValueError"),
        ("ValueError", "ValueError"),
        ("sqlalchemy.exc.IntegrityError: {0}\nDETAIL: {0}\n[SQL: {0}]", "IntegrityError"),
        (
            "coravet.bootstrap.UnsafeRole: The role is a superuser.",
            "coravet.bootstrap.UnsafeRole: The role is a superuser.",
        ),
        ("RuntimeError: no loop", "RuntimeError: no loop"),
        ("{0}\n{0}: {0}\nvera.veterinaria: {0}", None),
    ],
)
def test_a_traceback_written_out(written: Written, canary: str, raised: str, told: str | None) -> None:
    """granian writes tracebacks into its messages: frames and type are kept, and the message where it may be told."""
    logging.getLogger("_granian.utils").error(
        "Application callable raised an exception\nTraceback (most recent call last):\n"
        f'  File "/srv/app.py", line 17, in app\n    raise ValueError("x")\n{raised.format(canary)}\n'
    )
    [line] = written.lines()
    assert canary not in str(line)
    assert line["event"] == "Application callable raised an exception"
    assert line["exception"][0]["frames"] == ["/srv/app.py:17 app"]
    assert line["exception"][0].get("type") == told


def test_granian_speaks_through_us(start: Callable[..., Written]) -> None:
    """What granian set up for itself before the application was loaded is undone."""
    theirs, elsewhere = logging.getLogger("_granian"), io.StringIO()
    theirs.addHandler(logging.StreamHandler(elsewhere))
    theirs.propagate = False
    written = start()
    theirs.info("Started worker-1")
    assert [line["event"] for line in written.lines()] == ["Started worker-1"]
    assert elsewhere.getvalue() == ""


def test_set_up_anew(start: Callable[..., Written]) -> None:
    """Whatever logging was set up to before, a line is written once, and in one place."""
    before = start()
    written = start()
    log.info("hello")
    logging.getLogger("some.library").warning("hello")
    assert (len(before.lines()), len(written.lines())) == (0, 2)


def test_nothing_is_caught(written: Written, canary: str) -> None:
    """What nobody caught, in the process, in a thread or in a finalizer, is logged like any other error."""

    def fail() -> None:
        raise ValueError(canary)

    class Doomed:
        def __del__(self) -> None:
            fail()

    try:
        fail()
    except ValueError:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type] # in an except block none of them is None
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Doomed()
    gc.collect()
    lines = written.lines()
    assert canary not in str(lines)
    assert [_types(line) for line in lines] == [["ValueError"]] * 3
    assert all("fail" in line["exception"][0]["frames"][-1] for line in lines)


def test_interruptions_are_no_errors(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C and a thread that exits are not logged."""
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    monkeypatch.setattr(sys, "stderr", written)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert written.getvalue() == "KeyboardInterrupt\n"


def test_a_warning_of_python_s(written: Written) -> None:
    """Warnings come out as lines, too."""
    warnings.simplefilter("always")
    warnings.warn("this is old", DeprecationWarning, stacklevel=1)
    [line] = written.lines()
    assert line["logger"] == "py.warnings"
    assert "this is old" in line["event"]


def test_a_record_that_cannot_be_written(written: Written, canary: str) -> None:
    """A record whose arguments do not fit is not dumped with them."""
    logging.getLogger("some.library").warning("%d", canary)
    assert canary not in written.getvalue()


@pytest.mark.parametrize(
    ("environment", "chosen", "terminal", "as_json"),
    [
        ("development", "auto", True, False),
        ("development", "auto", False, True),
        ("development", "console", False, False),
        ("development", "json", True, True),
        ("production", "auto", True, True),
        ("production", "console", True, True),
    ],
)
def test_the_form(start: Callable[..., Written], environment: str, chosen: str, terminal: bool, as_json: bool) -> None:
    """JSON always in production, and wherever nobody reads along; readable in a terminal."""
    production = {
        "FIREBASE_PROJECT_ID": "the-project",
        "FIREBASE_CREDENTIALS": "/credentials.json",
        "CORAVET_PUBLIC_URL": "https://example.test",
        "CORAVET_DOCUMENT_KEY": "k" * 32,
        "CORAVET_KEPT_APART": "/apart",
        "CORAVET_STORAGE": "/media",
    }
    written = start(terminal=terminal, CORAVET_ENV=environment, CORAVET_LOG_FORMAT=chosen, **production)
    log.info("hello")
    assert written.getvalue().startswith("{") is as_json
