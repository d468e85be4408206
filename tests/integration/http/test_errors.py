"""Errors as clients meet them: one form, every bad field at once, limits before anything is read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.types import Message
from tests.integration.http.contract import Contract
from tests.integration.http.samples import SAMPLES, Key, address, fill
from tests.integration.http.service import Clinic, Headers, Service
from uuid_utils.compat import uuid7

CLIENTS, PATIENTS, SERVICES = (f"/clinics/{{}}/{name}" for name in ("clients", "patients", "services"))
GOOD = {"given_name": "Ana", "family_name": "Pérez"}


@pytest.fixture(scope="module")
async def clinic(service: Service) -> Clinic:
    """A clinic that bad input may leave in any state."""
    return await service.full_clinic()


def pointers(answer: Any) -> dict[str, str]:
    """The code of each bad field of a refusal."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert all(item["detail"].endswith(".") for item in answer.json()["errors"])
    return {item["pointer"]: item["code"] for item in answer.json()["errors"]}


async def test_form(service: Service) -> None:
    """A refusal is a problem (RFC 9457) that carries the request's id, as the header does."""
    answer = await service.ask("GET", "/session", headers={"X-Request-Id": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"
    assert answer.json() == {
        "type": "urn:coravet:problem:unauthenticated",
        "title": "Not signed in",
        "status": 401,
        "detail": answer.json()["detail"],
        "code": "unauthenticated",
        "request_id": "abc-123",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("unusable", ["x" * 65, "a b", "<script>", ""])
async def test_unusable_request_id(unusable: str, service: Service) -> None:
    """A request id that could upset a log is replaced."""
    answer = await service.ask("GET", "/session", headers={"X-Request-Id": unusable})
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert len(answer.headers["x-request-id"]) == 36


BODIES: dict[str, tuple[str, Any, dict[str, str]]] = {
    "syntax and meaning together": (
        CLIENTS,
        {
            "given_name": "   ",
            "family_name": 7,
            "document_type": "cedula",
            "document_number": "1714307104",
            "phone": "12",
            "email": "ana",
            "nickname": "x",
        },
        {
            "/given_name": "required",
            "/family_name": "wrong_type",
            "/document_number": "cedula_check_digit",
            "/phone": "phone_impossible",
            "/email": "malformed",
            "/nickname": "unknown",
        },
    ),
    "nothing given": (CLIENTS, {}, {"/given_name": "required", "/family_name": "required"}),
    "a number without its type": (CLIENTS, GOOD | {"document_number": "1714307103"}, {"/document_type": "required"}),
    "what nobody can see": (CLIENTS, GOOD | {"given_name": "Ana\u202e"}, {"/given_name": "not_text"}),
    "all of a patient": (
        PATIENTS,
        {"client_id": "x", "name": "", "species": "dragon", "birth_date": "2999-01-01", "sex": None, "owner": 1},
        {
            "/client_id": "malformed",
            "/name": "too_short",
            "/species": "not_allowed",
            "/birth_date": "in_future",
            "/sex": "wrong_type",
            "/owner": "unknown",
        },
    ),
    "inside a list": (
        SERVICES,
        {"name": " ", "duration_minutes": 4, "resource_ids": ["x"], "color": "red"},
        {"/name": "malformed", "/duration_minutes": "too_small", "/resource_ids/0": "malformed", "/color": "malformed"},
    ),
    "no object": (CLIENTS, [1], {"": "wrong_type"}),
    "null": (CLIENTS, None, {"": "wrong_type"}),
}


@pytest.mark.parametrize(("path", "body", "expected"), BODIES.values(), ids=BODIES)
async def test_bad_fields(path: str, body: Any, expected: dict[str, str], service: Service, clinic: Clinic) -> None:
    """A malformed body lists every bad field, of syntax and of meaning, each with a pointer and a code."""
    answer = await service.ask(
        "POST",
        path.format(clinic.slug),
        clinic.owner,
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert pointers(answer) == expected


async def test_bad_hours(service: Service, clinic: Clinic) -> None:
    """Within nested lists every bad entry is listed, those that overlap included."""
    at = f"/clinics/{clinic.slug}/resources/{clinic.ids['resource_id']}/hours"
    spans = [{"weekday": 8, "opens": "8:00", "closes": "24:00"}, {"weekday": 1, "opens": "08:00"}]
    assert pointers(await service.ask("PUT", at, clinic.owner, json={"spans": spans})) == {
        "/spans/0/weekday": "too_large",
        "/spans/0/opens": "malformed",
        "/spans/0/closes": "malformed",
        "/spans/1/closes": "required",
    }
    spans = [{"weekday": 1, "opens": "08:00", "closes": "12:00"}, {"weekday": 1, "opens": "11:00", "closes": "13:00"}]
    answer = await service.ask("PUT", at, clinic.owner, json={"spans": spans})
    assert pointers(answer) == {"/spans/1": "overlapping_hours"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":1,}', b"[" * 100_000], ids=lambda body: repr(body[:8]))
async def test_no_json(body: bytes, service: Service, clinic: Clinic) -> None:
    """What is no JSON is refused as such."""
    answer = await service.ask("POST", CLIENTS.format(clinic.slug), clinic.owner, content=body)
    assert set(pointers(answer).values()) <= {"malformed_json", "required"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/clients?limit=0", {"/limit": "invalid"}),
        ("/clients?limit=201", {"/limit": "invalid"}),
        ("/clients?cursor=x", {"/cursor": "not_a_cursor"}),
        ("/agenda?date=2026-02-30", {"/date": "invalid"}),
        ("/agenda?date=0001-01-01", {"/date": "out_of_range"}),
        ("/availability?from=x", {"/from": "invalid", "/service": "required"}),
        ("/availability", {"/service": "required"}),
        ("/search?q=a", {"/q": "too_short"}),
    ],
)
async def test_bad_parameters(path: str, expected: dict[str, str], service: Service, clinic: Clinic) -> None:
    """A malformed address names its bad parameters as the address writes them."""
    found = pointers(await service.ask("GET", f"/clinics/{clinic.slug}{path}", clinic.owner))
    assert found.items() & expected.items()
    assert set(found) <= set(expected)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"]
)
async def test_media_type(kind: str, service: Service, clinic: Clinic) -> None:
    """A body that is not said to be JSON is 415."""
    answer = await service.ask(
        "POST", CLIENTS.format(clinic.slug), clinic.owner, content=json.dumps(GOOD), headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")


async def _with_body(service: Service, clinic: Clinic, who: Headers, headers: Headers, read: list[int]) -> int:
    """The status of a request whose body never ends; `read` collects how much of it was taken."""
    path = f"/api/v1{CLIENTS.format(clinic.slug)}"
    sent: list[Message] = []

    async def receive() -> Any:
        read.append(65_536)
        return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("clinica.test", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in {**who, **headers}.items()],
    }
    await service.application.asgi(scope, receive, send)
    assert json.loads(sent[1]["body"])["code"]
    return int(sent[0]["status"])


async def test_too_large(service: Service, clinic: Clinic) -> None:
    """A body over the limit is 413: before a byte is read where its length is told, else once the limit is passed."""
    limit = service.settings.max_body_bytes
    read: list[int] = []
    told = {"Content-Type": "application/json", "Content-Length": str(limit + 1)}
    assert await _with_body(service, clinic, clinic.owner, told, read) == 413
    assert read == []
    untold = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    assert await _with_body(service, clinic, clinic.owner, untold, read) == 413
    assert sum(read) <= limit + 2 * 65_536
    read.clear()
    assert await _with_body(service, clinic, clinic.owner, untold | {"Idempotency-Key": "k"}, read) == 413
    assert sum(read) <= limit + 2 * 65_536
    read.clear()
    assert await _with_body(service, clinic, {}, untold, read) == 401
    assert read == []


async def test_unknown(service: Service, clinic: Clinic) -> None:
    """An address that does not exist, an id that nobody has and an id that is none answer the same 404."""
    same = {"X-Request-Id": "same"}
    answers = [
        await service.ask("GET", path, clinic.owner, headers=same)
        for path in (
            "/nothing",
            f"/clinics/{clinic.slug}/clients/{uuid7()}",
            f"/clinics/{clinic.slug}/clients/not-an-id",
            f"/clinics/{clinic.slug}/clients/{clinic.ids['patient_id']}",
            "/clinics/%00",
            "/clinics/no-such-clinic",
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_unknown_method(method: str, service: Service, clinic: Clinic) -> None:
    """A method that an address does not take is 405."""
    answer = await service.ask(method, f"/clinics/{clinic.slug}/clients", clinic.owner)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_stale_version(service: Service, clinic: Clinic) -> None:
    """A change that names an old version is 409 `stale_version` with the current one, and changes nothing."""
    base = CLIENTS.format(clinic.slug)
    made = await service.done("POST", base, clinic.owner, json=GOOD)
    at = f"{base}/{made['id']}"
    await service.done("PATCH", at, clinic.owner, json={"version": 1, "given_name": "Eva"})
    answer = await service.ask("PATCH", at, clinic.owner, json={"version": 1, "given_name": "Luz"})
    assert (answer.status_code, answer.json()["code"], answer.json()["version"]) == (409, "stale_version", 2)
    assert (await service.done("GET", at, clinic.owner))["given_name"] == "Eva"


NASTY: tuple[Any, ...] = (
    "a\0b", "\ud800", "x" * 5000, "", "\u202e", "💉", "%_\\'", None, [], {}, 10**30, -1, 1.5, True,
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "00000000-0000-0000-0000-000000000000",
)  # fmt: skip


def _requests(contract: Contract, key: Key, ids: dict[str, Any]) -> Iterator[tuple[Headers, dict[str, Any]]]:
    """The route's good request with one parameter or field at a time made nasty."""
    method, path = key
    sample, operation = SAMPLES[key], contract.operation(method, path) or {}
    body, params = fill(sample.body, ids), fill(sample.query, ids)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            for value in NASTY:
                if isinstance(value, str) and value != "\ud800":
                    yield {}, {"json": body, "params": {**params, parameter["name"]: value}}
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    reference = schema.get("$ref") or next((each["$ref"] for each in schema.get("oneOf", []) if "$ref" in each), None)
    if reference:
        for name in contract.document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]:
            for value in NASTY:
                bad = json.dumps({**(body or {}), name: value})
                yield {"Content-Type": "application/json"}, {"content": bad, "params": params}


@pytest.fixture(scope="module")
async def contract(service: Service) -> Contract:
    """The document of the application."""
    return Contract(service.application.litestar.state.openapi)


@pytest.mark.parametrize("key", [key for key in SAMPLES if key != ("DELETE", "/api/v1/session")], ids=" ".join)
async def test_no_fault(key: Key, service: Service, clinic: Clinic, contract: Contract) -> None:
    """No field or parameter, however nasty, is answered with a fault of ours."""
    who = await service.operator() if key == ("POST", "/api/v1/clinics") else clinic.owner
    ids = {**clinic.ids, "token": "x", "id_token": "x", "slot": clinic.slot(), "new_slug": "a", "new_email": "a@b.ec"}
    for headers, content in _requests(contract, key, ids):
        answer = await service.client.request(key[0], address(key[1], ids), headers={**who, **headers}, **content)
        assert answer.status_code < 500, (content, answer.text)
