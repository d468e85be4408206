"""structlog and the standard library's logging, as one stream of lines on stderr.

Every record takes the same way, ours and the libraries': context merged in, exceptions told without what they quote,
values reduced to plain ones, so that an object that is logged by mistake shows its type and nothing else.
"""

import json
import logging
import math
import re
import sys
import threading
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from enum import Enum
from functools import singledispatch
from pathlib import Path
from types import NoneType, TracebackType
from typing import Any
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from coravet.adapters.telemetry.exceptions import FRAMES, as_text, describe, first_line, headline, speaks_of_code
from coravet.settings import Settings

_OURS = ("coravet", "_granian", "alembic")
_TRACEBACK_LINE = re.compile(r'^\s*File "([^"\n]+)", line (\d+), in (\S+)', re.MULTILINE)
_RAISED_LINE = re.compile(
    r"^(?:([a-z_]\w*(?:\.\w+)*)\.([A-Z]\w*)|([A-Z]\w*(?:Error|Exception)))(?:: .*)?$", re.MULTILINE | re.ASCII
)
_LONGEST = 2000


def configure(settings: Settings) -> None:
    """Set logging up for this process: JSON in production and wherever stderr is no terminal.

    Uncaught exceptions of the process, its threads and its finalizers are logged too, in the same way.
    """
    as_json = (
        settings.environment == "production"
        or settings.log_format == "json"
        or (settings.log_format == "auto" and not sys.stderr.isatty())
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*common, _hand_over],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_tell_exceptions_in_arguments)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, _shorten],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _describe_exception if as_json else _write_exception,
                _reduce,
                _to_json if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries are heard from WARNING on, those not thought of included; ours at the level asked for.
    root.setLevel(max(level, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    for name in ("_granian", "granian.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # A record that cannot be written would be dumped with its arguments.
    logging.raiseExceptions = not as_json
    logging.captureWarnings(capture=True)
    sys.excepthook = _on_uncaught
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread_death


def message_of(record: logging.LogRecord) -> str:
    """What a record says before any data is put into it: the event of ours, the template of a library's."""
    if isinstance(record.msg, dict):
        return str(record.msg.get("event"))
    return _shortened(record.name, str(record.msg))


def _hand_over(logger: WrappedLogger, name: str, event: EventDict) -> tuple[tuple[EventDict], dict[str, Any]]:
    """To the standard library, with the exception on the record, too, where Sentry looks for it."""
    arguments, keywords = structlog.stdlib.ProcessorFormatter.wrap_for_formatter(logger, name, event)
    return arguments, {**keywords, "exc_info": event.get("exc_info")}


def _tell_exceptions_in_arguments(record: logging.LogRecord) -> bool:
    """`log.warning("failed: %s", error)` quotes what the error quotes."""
    if isinstance(record.args, tuple):
        record.args = tuple(headline(each) if isinstance(each, BaseException) else each for each in record.args)
    return True


def _shorten(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    _read_traceback(event)
    event["event"] = _shortened(event["logger"], event["event"])
    return event


def _read_traceback(event: EventDict) -> None:
    """granian writes tracebacks out into its messages, and what the exceptions quote with them."""
    frames = [f"{file}:{line} {function}" for file, line, function in _TRACEBACK_LINE.findall(event["event"])]
    if not frames:
        return
    told: dict[str, Any] = {"frames": frames[-FRAMES:]}
    for raised in _RAISED_LINE.finditer(event["event"]):
        module, name = raised[1], raised[2] or raised[3]
        told["type"] = raised[0] if speaks_of_code(module, name) else name
    event["exception"] = [told]


def _shortened(logger: str, message: str) -> str:
    if logger == "asyncio":
        # What failed is followed by a callback's arguments, or by the task with its exception.
        return re.split(r"[(<\n]", message, maxsplit=1)[0].strip()
    return first_line(message) if "\n" in message else message


def _describe_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event


def _write_exception(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    event = _describe_exception(logger, name, event)
    if "exception" in event:
        event["exception"] = as_text(event["exception"])
    return event


def _reduce(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: _reduced(value) for key, value in event.items()}


@singledispatch
def _reduced(value: object) -> Any:
    return f"<{type(value).__qualname__}>"


@_reduced.register
def _(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


@_reduced.register(int)
@_reduced.register(NoneType)
def _(value: int | None) -> int | None:
    return value


@_reduced.register
def _(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


@_reduced.register(UUID)
@_reduced.register(Path)
def _(value: UUID | Path) -> str:
    return str(value)


@_reduced.register
def _(value: date) -> str:
    return value.isoformat()


@_reduced.register
def _(value: timedelta) -> float:
    return value.total_seconds()


@_reduced.register
def _(value: Enum) -> Any:
    return _reduced(value.value)


@_reduced.register
def _(value: BaseException) -> str:
    return headline(value)


@_reduced.register(list)
@_reduced.register(tuple)
@_reduced.register(AbstractSet)
def _(value: Iterable[object]) -> list[Any]:
    return [_reduced(each) for each in value]


@_reduced.register(Mapping)
def _(value: Mapping[object, object]) -> dict[str, Any]:
    return {str(key): _reduced(each) for key, each in value.items()}


def _to_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return json.dumps(event)


def _on_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("coravet").critical("uncaught exception", exc_info=(kind, error, trace))


def _on_thread_death(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger("coravet").critical("uncaught exception in a thread", exc_info=exc_info)


def _on_unraisable(args: Any) -> None:
    exc_info = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger("coravet").error("exception that nobody could catch", exc_info=exc_info)
