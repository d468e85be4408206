"""What may be told of an exception: its type, where it was raised, and seldom its message.

Messages quote data: a violated constraint its row, a failed validation its input, a KeyError its key. So a message is
told only where its author vouches for it: our own errors, and those of the language that speak of code. The local
variables of a frame are never looked at.
"""

from collections.abc import Iterator
from traceback import walk_tb
from typing import Any

FRAMES = 50

_ABOUT_CODE = {
    "AttributeError",
    "ImportError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "RecursionError",
    "RuntimeError",
    "TypeError",
    "UnboundLocalError",
    "ZeroDivisionError",
}
_DATABASE_FACTS = ("sqlstate", "constraint_name", "table_name", "column_name")


def speaks_of_code(module: str | None, name: str) -> bool:
    """Whether the messages of this type, `module` None for a built-in one, hold nothing of anybody's."""
    if module is None or module == "builtins":
        return name in _ABOUT_CODE
    return module.split(".")[0] == "coravet"


def first_line(text: str) -> str:
    """Notes, and whatever a library appends to its own sentence, stand on further lines."""
    return text.split("\n", 1)[0][:300]


def headline(error: BaseException) -> str:
    """The type's full name, with the message where it may be told."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if speaks_of_code(kind.__module__, kind.__qualname__) and (message := first_line(str(error))):
        return f"{name}: {message}"
    return name


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The error and what led to it, outermost first.

    Each has `type` (with the message where it may be told), `frames` ("file:line function", innermost last, at most
    50), `because` on all but the first ("cause", "context" or "group"), and of a database's error the SQLSTATE and the
    names of constraint, table and column.
    """
    return [_described(one, because) for one, because in _chain(error, None, set())]


def as_text(described: list[dict[str, Any]]) -> str:
    """The same to read in a terminal."""
    lines = []
    for one in described:
        facts = ", ".join(f"{name} {one[name]}" for name in ("errno", *_DATABASE_FACTS) if name in one)
        lines.append(f"{one.get('because', 'error')}: {one.get('type', '')}" + (f" ({facts})" if facts else ""))
        lines.extend(f"  {frame}" for frame in one["frames"])
    return "\n".join(lines)


def _chain(error: BaseException, because: str | None, seen: set[int]) -> Iterator[tuple[BaseException, str | None]]:
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error, because
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _chain(member, "group", seen)
    if error.__cause__ is not None:
        yield from _chain(error.__cause__, "cause", seen)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _chain(error.__context__, "context", seen)


def _described(error: BaseException, because: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": headline(error)}
    if because is not None:
        told["because"] = because
    if isinstance(error, OSError) and isinstance(error.errno, int):
        told["errno"] = error.errno
    if type(error).__module__.split(".")[0] == "asyncpg":
        # PostgreSQL's own fields: names of ours, where `message` and `detail` quote the row.
        told.update({name: value for name in _DATABASE_FACTS if isinstance(value := getattr(error, name, None), str)})
    frames = [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}" for frame, line in walk_tb(error.__traceback__)
    ]
    told["frames"] = frames[-FRAMES:]
    return told
