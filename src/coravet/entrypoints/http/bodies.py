"""Reading JSON bodies: strict, and where one is malformed, every bad field at once."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.datastructures import State

from coravet.core.kernel.errors import DomainError, FieldError, Invalid

Check = Callable[[Mapping[str, Any]], list[FieldError]]
"""Finds what else is wrong with those fields of a body that could be read. Routes name theirs as `opt["check"]`."""

_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_CODES = (
    ("Expected `str` of length >=", "too_short"),
    ("Expected `str` of length <=", "too_long"),
    ("Expected `array` of length >=", "too_short"),
    ("Expected `array` of length <=", "too_long"),
    ("matching regex", "malformed"),
    ("Invalid enum value", "not_allowed"),
    ("Invalid UUID", "malformed"),
    ("Invalid RFC3339", "malformed"),
    ("Invalid ISO8601", "malformed"),
    ("Expected `datetime` with a timezone", "needs_offset"),
    (">=", "too_small"),
    ("<=", "too_large"),
    ("Expected", "wrong_type"),
)


class UnsupportedMedia(DomainError):
    """The body is not what the route reads."""

    code = "unsupported_media"
    title = "Not a format that is read here"


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
        except (msgspec.DecodeError, RecursionError) as error:
            check = self.route_handler.opt.get("check")
            bound = None if check is None else partial(check, ports=self.app.state.ports)
            raise Invalid(errors=bad_fields(wanted, body, bound)) from error


def bad_fields(wanted: Any, body: bytes, check: Check | None = None) -> list[FieldError]:
    """Everything that keeps `body` from being a `wanted`, one entry a field, pointers as in RFC 6901."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return [FieldError("", "malformed_json", f"The body is not JSON: {error}.")]
    except RecursionError:
        return [FieldError("", "malformed_json", "The body is nested too deeply.")]
    struct = _struct_of(wanted)
    if struct is None:
        return _convert(value, wanted, "")
    if not isinstance(value, dict):
        return [FieldError("", "wrong_type", "The body must be a JSON object.")]
    errors = _in_object(value, struct, "")
    if check is not None:
        bad = {error.pointer.split("/")[1] for error in errors if error.pointer}
        hints = get_type_hints(struct, include_extras=True)
        readable = {
            name: msgspec.convert(value[name], hints[name]) for name in hints if name in value and name not in bad
        }
        seen = {error.pointer for error in errors}
        errors += [error for error in check(readable) if error.pointer not in seen]
    return errors


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


def _item_of(wanted: Any) -> type[msgspec.Struct] | None:
    """The Struct of which `wanted` is a list."""
    if get_origin(wanted) is Annotated:
        return _item_of(get_args(wanted)[0])
    return _struct_of(get_args(wanted)[0]) if get_origin(wanted) is list else None


def _in_object(value: dict[str, Any], struct: type[msgspec.Struct], pointer: str) -> list[FieldError]:
    errors: list[FieldError] = []
    hints = get_type_hints(struct, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in fields.items():
        here = f"{pointer}/{name}"
        if name not in value:
            if field.required:
                errors.append(FieldError(here, "required", "This field is required."))
            continue
        item, inner, given = _item_of(hints[field.name]), _struct_of(hints[field.name]), value[name]
        if inner is not None and isinstance(given, dict):
            errors += _in_object(given, inner, here)
        elif item is not None and isinstance(given, list) and all(isinstance(entry, dict) for entry in given):
            found = [error for i, entry in enumerate(given) for error in _in_object(entry, item, f"{here}/{i}")]
            errors += found or _convert(given, hints[field.name], here)
        else:
            errors += _convert(given, hints[field.name], here)
    errors += [
        FieldError(f"{pointer}/{name}", "unknown", "There is no such field.")
        for name in value
        if name not in fields and struct.__struct_config__.forbid_unknown_fields
    ]
    return errors


def _convert(value: Any, wanted: Any, pointer: str) -> list[FieldError]:
    try:
        msgspec.convert(value, wanted, strict=True, builtin_types=())
    except msgspec.ValidationError as error:
        message = str(error)
        found = _PATH.search(message)
        if found:
            message = message[: found.start()]
            pointer += re.sub(r"\[(\d+)\]|\.", lambda part: f"/{part[1] or ''}", found["path"])
        code = next((code for text, code in _CODES if text in message), "invalid")
        if "regex" in message:
            message = "It does not have the form that this field needs"
        return [FieldError(pointer, code, f"{message}.")]
    return []
