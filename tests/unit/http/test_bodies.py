"""What is wrong with a body: every field at once, within bounds that whoever sends it cannot move."""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.errors import FieldError
from coravet.entrypoints.http.bodies import MOST_ERRORS, bad_fields

Letter = Annotated[str, Meta(max_length=1)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A nested object."""

    letter: Letter


class Whole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body with a field of every shape."""

    parts: Annotated[list[Part], Meta(min_length=1, max_length=50)] | UnsetType = UNSET
    ids: Annotated[list[UUID], Meta(min_length=2, max_length=50)] | UnsetType = UNSET
    letters: list[Letter] | UnsetType = UNSET
    part: Part | None = None


class Choice(msgspec.Struct, frozen=True):
    """A body that takes one of a few values."""

    species: Literal["dog", "cat"]


def found(value: Any) -> dict[str, str]:
    """The code of each bad field, by pointer."""
    return {error.pointer: error.code for error in bad_fields(Whole, json.dumps(value).encode())}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"ids": ["x", str(UUID(int=1)), 5]}, {"/ids/0": "malformed", "/ids/2": "wrong_type"}),
        ({"ids": [str(UUID(int=1))]}, {"/ids": "too_short"}),
        (
            {"parts": [{"letter": "ab"}, 7, {"letter": "a"}, {"other": 1}, None]},
            {
                "/parts/0/letter": "too_long",
                "/parts/1": "wrong_type",
                "/parts/3/letter": "required",
                "/parts/3/other": "unknown",
                "/parts/4": "wrong_type",
            },
        ),
        ({"parts": [{}] * 51}, {"/parts": "too_long"}),
        ({"parts": [], "part": {"letter": 1}}, {"/parts": "too_short", "/part/letter": "wrong_type"}),
        ({"a/b~c": 1}, {"/a~1b~0c": "unknown"}),
    ],
)
def test_every_entry(value: Any, expected: dict[str, str]) -> None:
    """Each bad entry of a list has its own error, whatever stands beside it; a list that is too long has one."""
    assert found(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {f"{number:06}" + "x" * 1000: 1 for number in range(1000)},
        {"letters": [1] * 300_000},
        {"parts": [{"letter": 1} for _ in range(50)] * 7000},
        {"parts": [{f"{number}": 1 for number in range(1000)}] * 40},
    ],
    ids=["unknown fields", "open list", "long list", "unknown fields in a list"],
)
def test_bounds(value: Any) -> None:
    """However much is wrong, at most a hundred errors are listed, in a few kilobytes."""
    errors = bad_fields(Whole, json.dumps(value).encode())
    assert 1 <= len(errors) <= MOST_ERRORS
    assert len(msgspec.json.encode(errors)) < 32_768


def test_echo() -> None:
    """What was sent in place of a listed value is not repeated in the answer."""
    [error] = bad_fields(Choice, json.dumps({"species": "x" * 100_000}).encode())
    assert (error.pointer, error.code) == ("/species", "not_allowed")
    assert len(error.detail) < 100


@pytest.mark.parametrize("body", [b'{"letters":["\xed\xa0\x80"]}', b'{"\xff":1}', b'{"part":"\\ud800"}', b"\xff"])
def test_no_unicode(body: bytes) -> None:
    """Bytes that are no UTF-8 are no JSON, within a text and without."""
    [error] = bad_fields(Whole, body)
    assert (error.pointer, error.code) == ("", "malformed_json")


def test_check() -> None:
    """Rules are asked of what can be read, also where more is wrong than is listed."""
    asked: list[Any] = []

    def check(given: Any) -> list[FieldError]:
        asked.append(given)
        return []

    body = {"ids": [1] * 50, "letters": [1] * 100, "part": {"letter": "a"}, "parts": [{"letter": 2}]}
    assert len(bad_fields(Whole, json.dumps(body).encode(), check)) == MOST_ERRORS
    assert asked == [{"part": Part("a")}]
