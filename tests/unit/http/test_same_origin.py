"""Which pages may change things with a session cookie: the service's own and those that it was told of."""

from typing import Any, cast

import pytest
from litestar.connection import ASGIConnection

from coravet.entrypoints.http.access import BadOrigin, Guards

UNASKED: Any = cast("Any", None)
ALLOWED = "https://app.test"


def passes(origin: str | None, scheme: str, *, required: bool = True, host: str | None = "clinica.test:8000") -> bool:
    """Whether a service whose pages come by `scheme` takes a change from this origin."""
    given = {"host": host, "origin": origin}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None]
    connection: Any = ASGIConnection(cast("Any", {"type": "http", "headers": headers}))
    guards = Guards(UNASKED, UNASKED, UNASKED, "session", scheme, frozenset({ALLOWED}))
    try:
        guards.same_origin(connection, required=required)
    except BadOrigin:
        return False
    return True


@pytest.mark.parametrize(
    ("origin", "over_http", "over_https"),
    [
        ("http://clinica.test:8000", True, False),
        ("https://clinica.test:8000", False, True),
        (ALLOWED, True, True),
        ("http://app.test", False, False),
        ("ftp://clinica.test:8000", False, False),
        ("//clinica.test:8000", False, False),
        ("clinica.test:8000", False, False),
        ("http://clinica.test:8000/", False, False),
        ("http://clinica.test:8000/page", False, False),
        ("http://clinica.test:8000?", False, False),
        ("http://evil@clinica.test:8000", False, False),
        ("http://clinica.test", False, False),
        ("http://clinica.test:8000.evil.test", False, False),
        ("http://[", False, False),
        ("http://", False, False),
        ("null", False, False),
        ("", False, False),
        ("http://\xff", False, False),
        (None, False, False),
    ],
)
def test_origins(origin: str | None, over_http: bool, over_https: bool) -> None:
    """The scheme counts as the host does, and nothing is taken that no browser writes."""
    assert (passes(origin, "http"), passes(origin, "https")) == (over_http, over_https)


def test_no_origin() -> None:
    """Where no cookie is at stake a request without an origin passes; one of another site still does not."""
    assert passes(None, "http", required=False)
    assert not passes("http://evil.test", "http", required=False)


@pytest.mark.parametrize("host", [None, ""])
def test_no_host(host: str | None) -> None:
    """A request that does not say where it goes has no origin of its own."""
    assert not passes("http://", "http", host=host)
    assert not passes("http://None", "http", host=host)
