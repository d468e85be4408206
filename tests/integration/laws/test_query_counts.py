"""A list costs as many statements with three times the rows: none is asked for row by row."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from tests.integration.http.contract import Contract
from tests.integration.http.samples import SAMPLES, Key, address
from tests.integration.http.service import Clinic, Service
from tests.integration.parts.texts import EVERYWHERE, shown

from coravet.bootstrap import Application

USUAL = 4
"""Statements of a list: who asks, BEGIN with the clinic, the list itself in one query, COMMIT."""

OTHERS = {
    "clinics": 2,
    "breeds": 0,
    "cantons": 0,
    "availability": 5,
    "board": 5,
    "search": 6,
    "/api/v1/portal/clinics/{clinic}/services": 5,
    "/api/v1/legal/documents": 3,
}
"""One's clinics are asked for in no clinic's name, breeds and cantons of no database; free time is a plan and what is
taken; a search that fills no page asks what a typo may have meant, and looks for that, too; guests are told which terms
they accept; and nobody signs in to read legal texts."""

NO_MORE = {
    "/api/v1/legal/documents": "they are everybody's",
    "cantons": "they are the country's",
    "contacts": "they are one client's",
    "consents": "they are one client's",
    "availability": "free time is as long",
    "holidays": "they are the country's",
    "exceptions": "they are one resource's",
    "history": "it is one visit's",
    "breeds": "they are everybody's",
    "deceased": "it is one patient's",
    "parties": "they are one patient's",
    "identifiers": "they are one patient's",
    "alerts": "they are one patient's",
    "{prescription_id}": "its items are its own",
}
"""Lists that have no more rows with three times of everything, and why."""

DRIVERS_OWN = ("typeinfo_tree", "current_setting('jit')", "set_config('jit'")
"""What asyncpg asks once on each connection, when it meets a type for the first time: whichever request is at hand."""

_SEEN: ContextVar[list[str] | None] = ContextVar("seen", default=None)
"""The statements of the request at hand; what runs in the background has another context and is not counted."""


@pytest.fixture(scope="module", autouse=True)
def _watched(service: Service) -> Iterator[None]:
    with watched(service.application):
        yield


@contextmanager
def watched(wired: Application) -> Iterator[None]:
    """Note every statement: SQLAlchemy's by its event, the raw driver's by its own; neither tells of the other's."""

    def note(query: str) -> None:
        seen = _SEEN.get()
        if seen is not None and not any(mark in query for mark in DRIVERS_OWN):
            seen.append(query)

    def mapped(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    def raw(record: Any) -> None:
        note(record.query)

    def checkout(connection: Any, record: Any, _proxy: Any) -> None:
        if "watched" not in record.info:
            record.info["watched"] = True
            connection.driver_connection.add_query_logger(raw)

    engine = wired.engine.sync_engine
    event.listen(engine, "before_cursor_execute", mapped)
    event.listen(engine, "checkout", checkout)
    yield
    event.remove(engine, "before_cursor_execute", mapped)
    event.remove(engine, "checkout", checkout)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of what is asked meanwhile, by this task."""
    seen: list[str] = []
    _SEEN.set(seen)
    yield seen
    _SEEN.set(None)


def _lists(contract: Contract) -> list[Key]:
    """The routes that answer with a list, by the document."""

    def answers_list(key: Key) -> bool:
        operation = contract.operation(*key)
        if key[0] != "GET" or operation is None:
            return False
        schema = operation["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
        named = contract.document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        return bool({"items", "days"} & set(named.get("properties", {})))

    return [key for key in SAMPLES if answers_list(key)]


async def _furnished(service: Service, times: int) -> Clinic:
    """A clinic with so many of everything, its last patient included, whose owner works in so many clinics."""
    clinic = await service.open_clinic()
    email = (await service.done("GET", "/session", clinic.owner))["user"]["email"]
    for number in range(times):
        await service.furnish(clinic)
        decided = {**shown(EVERYWHERE[1 + number]), "decision": "accepted"}
        await service.done("POST", "/legal/acceptances", clinic.owner, json=decided)
        await service.join(clinic, "staff")
        if number:
            elsewhere = await service.open_clinic()
            offer = {"email": email, "roles": ["vet"]}
            made = await service.done("POST", f"/clinics/{elsewhere.slug}/invitations", elsewhere.owner, json=offer)
            await service.done("POST", f"/invitations/{made['token']}/accept", clinic.owner)
            await service.treat(clinic)
    return clinic


async def _cost(service: Service, clinic: Clinic, key: Key) -> tuple[list[str], int]:
    """The statements that a list took, and its rows."""
    day = datetime.now(UTC).date() + timedelta(days=1)  # the clinic's, of the first slots that are given out
    params = {
        "search": {"q": "firulais"},
        "duplicates": {"given_name": "Zoila", "family_name": "Quimbiurco"},
        "availability": {"service": clinic.ids["service_id"]},
        "agenda": {"date": day},
        "board": {"date": day},
        "exceptions": {"from": clinic.ids.get("day")},
    }
    # That somebody has no legal text open is asked once a minute at most, by whichever request is at hand.
    for open_to_all in ("/clinics", f"/clinics/{clinic.slug}"):
        await service.ask("GET", open_to_all, clinic.owner)
    with counted() as seen:
        answer = await service.client.get(
            address(key[1], clinic.ids), headers=clinic.owner, params=params.get(key[1].rpartition("/")[2])
        )
        await asyncio.sleep(0)  # the driver tells of a statement in the loop's next turn
    assert answer.status_code == 200, answer.text
    found = answer.json()
    rows = found["items"] if "items" in found else [slot for days in found["days"] for slot in days["slots"]]
    return seen, len(rows)


async def test_statements_do_not_grow(service: Service) -> None:
    """Each list, every route that answers with one, takes the same few statements for one and for three of all."""
    lists = _lists(Contract(service.application.litestar.state.openapi))
    assert len(lists) > 8
    one, three = await _furnished(service, 1), await _furnished(service, 3)
    for key in lists:
        name = key[1].rpartition("/")[2]
        await _cost(service, one, key)  # the first time a statement is prepared, the driver may look up its types
        few, rows = await _cost(service, one, key)
        more, more_rows = await _cost(service, three, key)
        assert 1 <= rows <= more_rows, key
        assert rows < more_rows or name in NO_MORE or key[1] in NO_MORE, key
        usual = OTHERS.get(key[1]) or OTHERS.get(name, USUAL)
        assert len(few) == len(more) == usual, (key, few, more)


async def test_feed(service: Service) -> None:
    """A calendar program's poll takes two queries, however many visits there are: whose feed it is, and its visits."""
    clinic = await _furnished(service, 1)
    base, resource = f"/clinics/{clinic.slug}", clinic.ids["resource_id"]
    token = (await service.done("POST", f"{base}/resources/{resource}/calendar", clinic.owner))["token"]
    for _ in range(3):
        await service.book(clinic)
        with counted() as seen:
            answer = await service.ask("GET", f"{base}/calendars/{resource}.ics", params={"token": token})
            await asyncio.sleep(0)
        assert answer.status_code == 200
        found, begin, visits, commit = seen[-4:]
        assert ("find_calendar" in found, begin[:5], "appointments" in visits, commit) == (
            True,
            "BEGIN",
            True,
            "COMMIT",
        )
    assert len(seen) == 4
