"""Deny by default: a route that does not say who may use it is never served."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

import pytest
from litestar import HttpMethod, get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from coravet.adapters.memory.legal import LegalGate
from coravet.entrypoints.http.access import Access, permitted
from coravet.entrypoints.http.app import UndeclaredAccess, build
from coravet.entrypoints.http.call import Ports

UNASKED: Any = cast("Any", None)
BY_TOKEN = {"GET /api/v1/clinics/{clinic}/calendars/{calendar}"}


def _ports() -> Ports:
    """Ports of an application that is built and never asked."""
    unasked = {each.name: UNASKED for each in fields(Ports)}
    return Ports(**unasked | {"gate": LegalGate(), "cookie": "session", "origins": frozenset(), "max_body_bytes": 1024})


@pytest.fixture(scope="module")
def accesses() -> dict[str, Access]:
    """What every route of the application declares, by method and address."""

    def declared() -> Iterator[tuple[str, Access]]:
        for route in build(_ports()).routes:
            assert isinstance(route, HTTPRoute)
            for handler in route.route_handlers:
                if handler.http_methods != {HttpMethod.OPTIONS}:
                    yield f"{' '.join(sorted(handler.http_methods))} {route.path_format}", handler.opt["access"]

    return dict(declared())


@get("/forgotten", sync_to_thread=False)
def forgotten() -> None:
    """A route that declares nothing."""


@get("/mistyped", opt={"access": "agenda:read"}, sync_to_thread=False)
def mistyped() -> None:
    """A route whose declaration is a mere text."""


@get("/sound", opt=permitted("agenda:read"), operation_id="sound", tags=["Test"], sync_to_thread=False)
def sound() -> None:
    """A route that declares its permission."""


@pytest.mark.parametrize("route", [forgotten, mistyped], ids=["forgotten", "mistyped"])
def test_undeclared(route: HTTPRouteHandler) -> None:
    """Building the application with a route that declares no access is refused; with one that does, it is not."""
    with pytest.raises(UndeclaredAccess):
        build(_ports(), routes=[route])
    build(_ports(), routes=[sound])


def test_reasons(accesses: dict[str, Access]) -> None:
    """Whatever asks for no permission states in a sentence why."""
    open_ones = {at: access for at, access in accesses.items() if access.permission is None and not access.operator}
    assert open_ones
    assert not [at for at, access in open_ones.items() if not (access.reason or "").endswith(".")]


def test_clinic_routes(accesses: dict[str, Access]) -> None:
    """Every route under a clinic asks for a permission in it; feeds are opened by a token of their own, and the
    portal's are for everybody. Which of them pass by the legal gate is told by `legal/test_gate.py`.
    """
    of_a_clinic = {at: access for at, access in accesses.items() if "1/clinics/{clinic}" in at and at not in BY_TOKEN}
    assert of_a_clinic
    assert all(accesses[at].public for at in BY_TOKEN)
    assert not [at for at, access in of_a_clinic.items() if access.permission is None]
