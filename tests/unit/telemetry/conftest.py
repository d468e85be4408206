"""A process whose logging may be set up, and is put back afterwards; and errors that quote somebody."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
from tests.unit.telemetry.parts import TELLTALES, Written

from coravet.adapters.telemetry import logs
from coravet.settings import Settings


@pytest.fixture
def canary() -> str:
    """Somebody's mail address, made at run time: as a literal it would stand in the source that a report quotes."""
    return f"canary{uuid4().hex}"


@pytest.fixture
def settings() -> Callable[..., Settings]:
    def make(**environment: Any) -> Settings:
        defaults = {"DATABASE_URL": "postgresql://app@127.0.0.1/coravet", "CORAVET_LOG_FORMAT": "json"}
        return Settings(**{**defaults, **environment})

    return make


@pytest.fixture
def process() -> Iterator[None]:
    """Takes back whatever `logs.configure` sets in the process."""
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for name in ("coravet", "_granian", "alembic"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def start(process: None, settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Written]:
    """Sets logging up with these settings; answers what it will write to."""

    def begin(*, terminal: bool = False, **environment: Any) -> Written:
        stderr = Written()
        stderr.terminal = terminal
        monkeypatch.setattr(sys, "stderr", stderr)
        logs.configure(settings(**environment))
        return stderr

    return begin


@pytest.fixture
def written(start: Callable[..., Written]) -> Written:
    """What JSON logging at `info` writes."""
    return start()


@pytest.fixture(params=TELLTALES, ids=lambda raise_it: raise_it.__name__.strip("_"))
def telltale(request: pytest.FixtureRequest, canary: str) -> BaseException:
    """An error that quotes the canary, in its message or somewhere below, raised where a local holds it."""
    try:
        request.param(canary)
    except Exception as error:  # noqa: BLE001 - every one of them
        return error
    raise AssertionError("nothing was raised")
