"""Reading JSON bodies: strict, and where one is malformed, every bad field at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.datastructures import State

from coravet.core.kernel.errors import FieldError, Invalid, UnsupportedMedia
from coravet.core.kernel.sentences import Sentence

Check = Callable[[Mapping[str, Any]], list[FieldError]]
"""Finds what else is wrong with those fields of a body that could be read. Routes name theirs as `opt["check"]`."""

MOST_ERRORS = 100
"""Bad fields that an answer lists; who sends more learns of the others after mending these."""

_NAME_LENGTH = 40  # of a field that we do not know, so that an answer's length is ours to say
_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_BYTE = re.compile(r"\(byte (?P<byte>\d+)\)")
_EXPECTED = re.compile(r"Expected `(?P<kind>\w+)")
_LIMIT = re.compile(r"(?:of length )?(?:>=|<=|>|<|that's a multiple of) (?P<limit>-?[\d.]+)$")

_KINDS = {
    "str": Sentence("Write a text here."),
    "int": Sentence("Write a whole number here, in digits."),
    "float": Sentence("Write a number here, in digits."),
    "bool": Sentence("Say yes or no here: true or false."),
    "array": Sentence("Give a list here."),
    "object": Sentence("Give an object with its fields here."),
    "uuid": Sentence("Choose one that exists: its id goes here."),
    "date": Sentence("Write a date here, such as 2026-03-14."),
    "datetime": Sentence("Write a date and time here, such as 2026-03-14T09:30:00-05:00."),
    "time": Sentence("Write a time here, such as 09:30."),
}
"""What to say where a value of another kind is needed."""


class JsonRequest(Request[Any, Any, State]):
    """A request whose body is decoded straight into the handler's `data` type, strictly."""

    async def json(self) -> Any:
        """The body as the handler's `data` type.

        Raises:
            UnsupportedMedia: it is not said to be JSON.
            Invalid: every bad field is listed.
        """
        content_type = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise UnsupportedMedia("Send the body as application/json.")
        body = await self.body()
        field = self.route_handler.parsed_data_field
        wanted = Any if field is None else field.annotation
        try:
            return msgspec.json.decode(body, type=wanted)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            check = self.route_handler.opt.get("check")
            bound = None if check is None else partial(check, ports=self.app.state.ports)
            raise Invalid(errors=bad_fields(wanted, body, bound)) from error


def bad_fields(wanted: Any, body: bytes, check: Check | None = None) -> list[FieldError]:
    """Everything that keeps `body` from being a `wanted`, one entry a field, pointers as in RFC 6901.

    Bounded, for anybody may send a body: no more than `MOST_ERRORS`, and nothing of a list that is too long.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = _BYTE.search(str(error))
        place = int(found["byte"]) if found else len(body)
        return [FieldError("", "malformed_json", Sentence("The body is not valid JSON (byte {place}).", place=place))]
    except RecursionError:
        return [FieldError("", "malformed_json", "The body is nested too deeply.")]
    struct = _struct_of(wanted)
    if struct is None:
        return _convert(value, wanted, "")
    if not isinstance(value, dict):
        return [FieldError("", "wrong_type", "The body must be a JSON object.")]
    errors = list(islice(_in_object(value, struct, ""), MOST_ERRORS))
    if check is not None:
        hints = _hints(struct)
        given = {name: value[name] for name in hints if name in value}
        readable = {
            name: msgspec.convert(each, hints[name])
            for name, each in given.items()
            if not _convert(each, hints[name], "")
        }
        seen = {error.pointer for error in errors}
        errors += [error for error in check(readable) if error.pointer not in seen]
    return errors[:MOST_ERRORS]


@cache
def _hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


def _struct_of(wanted: Any) -> type[msgspec.Struct] | None:
    """The one Struct that `wanted` is or may be."""
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return wanted
    if get_origin(wanted) is Annotated:
        return _struct_of(get_args(wanted)[0])
    if get_origin(wanted) is list:
        return None
    structs = [found for part in get_args(wanted) if (found := _struct_of(part)) is not None]
    return structs[0] if len(structs) == 1 else None


def _list_of(wanted: Any, most: int | None = None) -> tuple[Any, int | None] | None:
    """What `wanted` is or may be a list of, and how many of it at most."""
    origin = get_origin(wanted)
    if origin is Annotated:
        inner, *notes = get_args(wanted)
        return _list_of(inner, next((note.max_length for note in notes if isinstance(note, msgspec.Meta)), most))
    if origin is list:
        return get_args(wanted)[0], most
    if origin in {Union, UnionType}:
        return next((found for part in get_args(wanted) if (found := _list_of(part)) is not None), None)
    return None


def _in_object(value: dict[str, Any], struct: type[msgspec.Struct], pointer: str) -> Iterator[FieldError]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in fields.items():
        here = f"{pointer}/{name}"
        if name in value:
            yield from _in_value(value[name], _hints(struct)[field.name], here)
        elif field.required:
            yield FieldError(here, "required", "This field is required.")
    if struct.__struct_config__.forbid_unknown_fields:
        for name in value:
            if name not in fields:
                escaped = name[:_NAME_LENGTH].replace("~", "~0").replace("/", "~1")
                yield FieldError(f"{pointer}/{escaped}", "unknown", "There is no such field.")


def _in_value(value: Any, wanted: Any, pointer: str) -> Iterator[FieldError]:
    listed, struct = _list_of(wanted), _struct_of(wanted)
    if struct is not None and isinstance(value, dict):
        yield from _in_object(value, struct, pointer)
    elif listed is not None and isinstance(value, list):
        item, most = listed
        if most is not None and len(value) > most:
            yield FieldError(pointer, *wording(f"Expected `array` of length <= {most}"))
            return
        sound = True
        for index, entry in enumerate(value):
            for error in _in_value(entry, item, f"{pointer}/{index}"):
                sound = False
                yield error
        if sound:
            yield from _convert(value, wanted, pointer)
    else:
        yield from _convert(value, wanted, pointer)


def _convert(value: Any, wanted: Any, pointer: str) -> list[FieldError]:
    try:
        msgspec.convert(value, wanted, strict=True, builtin_types=())
    except msgspec.ValidationError as error:
        message = str(error)
        found = _PATH.search(message)
        if found:
            message = message[: found.start()]
            pointer += re.sub(r"\[(\d+)\]|\.", lambda part: f"/{part[1] or ''}", found["path"])
        return [FieldError(pointer, *wording(message))]
    return []


def wording(message: str) -> tuple[str, str]:  # noqa: C901, PLR0911, PLR0912 -- a table, written as a match
    """The code and the sentence for what msgspec says of a value; nothing that was sent is repeated."""
    kind = found["kind"] if (found := _EXPECTED.match(message)) else ""
    limit = found["limit"] if (found := _LIMIT.search(message)) else ""
    match kind, message:
        case "str", _ if "length >=" in message and limit == "1":
            return "too_short", Sentence("It cannot be blank.")
        case "str", _ if "length >=" in message:
            return "too_short", Sentence("Write more: at least this many characters: {least}.", least=limit)
        case "str", _ if "length <=" in message:
            return "too_long", Sentence("Write less: at most this many characters: {most}.", most=limit)
        case "array" | "object", _ if "length >=" in message:
            return "too_short", Sentence("Name at least {least}.", least=limit)
        case "array" | "object", _ if "length <=" in message:
            return "too_long", Sentence("Name at most {most}.", most=limit)
        case _, _ if "matching regex" in message:
            return "malformed", Sentence("It does not have the form that this field needs.")
        case _, _ if "Invalid enum value" in message:
            return "not_allowed", Sentence("It is not among the values that this field takes.")
        case _, _ if "Invalid UUID" in message:
            return "malformed", _KINDS["uuid"]
        case _, _ if "Invalid RFC3339 encoded date" in message and "datetime" not in message:
            return "malformed", _KINDS["date"]
        case _, _ if "Invalid RFC3339" in message:
            return "malformed", _KINDS["datetime"]
        case "datetime", _ if "timezone" in message:
            return "needs_offset", Sentence("Say which time zone it is in: end it with Z or with one such as -05:00.")
        case _, _ if ">=" in message:
            return "too_small", Sentence("The least is {least}.", least=limit)
        case "float", _ if " > 0.0" in message:
            return "too_small", Sentence("It must be more than zero. Check the comma.")
        case _, _ if "<=" in message:
            return "too_large", Sentence("The most is {most}.", most=limit)
        case _ if kind:
            return "wrong_type", _KINDS.get(kind, Sentence("This value is of the wrong kind."))
    return "invalid", Sentence("This field does not take this value.")
