"""A job may wait for weeks, and a failed one is kept: it carries ids, and nothing that a person would have erased."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from msgspec import inspect

import coravet.bootstrap
from coravet.core.kernel.jobs import Job

HOLDS_NOBODY = (
    inspect.UUIDType,
    inspect.IntType,
    inspect.BoolType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.LiteralType,
    inspect.NoneType,
)


def _kinds(job: type[Job]) -> Iterator[type[Job]]:
    for kind in job.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _telling(kind: type[Job]) -> list[str]:
    """The fields that could hold what somebody wrote, or who somebody is."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    found = []
    for field in described.fields:
        types = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        if not all(isinstance(each, HOLDS_NOBODY) for each in types):
            found.append(field.name)
    return found


def test_ids_only() -> None:
    """Every kind of job that the service knows has fields for ids, instants, numbers and words of ours alone."""
    assert coravet.bootstrap  # by which all kinds are imported
    kinds = [kind for kind in _kinds(Job) if kind.__module__.startswith("coravet.")]
    assert {kind.kind(): _telling(kind) for kind in kinds if _telling(kind)} == {}
    assert len({kind.kind() for kind in kinds}) == len(kinds), "two kinds under one name"


@pytest.mark.parametrize("told", [str, str | None, list[UUID], dict[str, str], bytes])
def test_what_could_tell_is_seen(told: type) -> None:
    """A field for text, or for anything that is no plain id, is refused."""
    kind = type(
        "Telling", (Job,), {"__annotations__": {"what": told}, "__module__": __name__}, frozen=True, tag="telling"
    )
    assert _telling(kind) == ["what"]
