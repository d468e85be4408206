"""Errors as clients meet them: one form, every bad field at once, limits before anything is read."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest
from litestar.types import Message
from tests.integration.http.contract import Contract
from tests.integration.http.samples import SAMPLES, Key, address, fill
from tests.integration.http.service import Clinic, Headers, Service
from uuid_utils.compat import uuid7

from coravet.core.scheduling.transition import TRANSITIONS

CLIENTS, PATIENTS, SERVICES, RESOURCES, VISITS = (
    f"/clinics/{{}}/{name}" for name in ("clients", "patients", "services", "resources", "appointments")
)
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
        {"/name": "required", "/duration_minutes": "too_small", "/resource_ids/0": "malformed", "/color": "malformed"},
    ),
    "a name that nobody could read": (
        RESOURCES,
        {"kind": "vet", "name": "\u200b", "member_id": "x"},
        {"/name": "not_text", "/member_id": "malformed"},
    ),
    "a newline after a colour": (
        SERVICES,
        {"name": "a\0b", "duration_minutes": 30, "resource_ids": [], "color": "#aabbcc\n"},
        {"/name": "not_text", "/resource_ids": "too_short", "/color": "malformed"},
    ),
    "all of a visit": (
        VISITS,
        {
            "service_id": "x",
            "resource_ids": ["x", "00000000-0000-0000-0000-000000000000", 5],
            "starts_at": "2001-01-01T00:00:00Z",
            "reason": "a\0b",
        },
        {
            "/service_id": "malformed",
            "/patient_id": "required",
            "/resource_ids/0": "malformed",
            "/resource_ids/2": "wrong_type",
            "/starts_at": "in_past",
            "/reason": "not_text",
        },
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
    answer = await service.ask("PUT", at, clinic.owner, json={"spans": spans, "day": 1})
    assert pointers(answer) == {"/day": "unknown", "/spans/1": "overlapping_hours"}
    newline = {"weekday": 1, "opens": "08:00\n", "closes": "12:00"}
    assert pointers(await service.ask("PUT", at, clinic.owner, json={"spans": [7, newline, {}]})) == {
        "/spans/0": "wrong_type",
        "/spans/1/opens": "too_long",
        "/spans/2/weekday": "required",
        "/spans/2/opens": "required",
        "/spans/2/closes": "required",
    }


async def test_reason(service: Service, clinic: Clinic) -> None:
    """A step's reason is text that a person could read, and every bad field of a step is listed."""
    at = f"{VISITS.format(clinic.slug)}/{clinic.ids['appointment_id']}"
    bad = {"version": "x", "reason": "a\0b"}
    for step in TRANSITIONS:
        answer = await service.ask("POST", f"{at}/{step}", clinic.owner, json=bad)
        assert pointers(answer) == {"/version": "wrong_type", "/reason": "not_text"}


async def test_changed_name(service: Service, clinic: Clinic) -> None:
    """A change is held to the rules of the first entry, and names the field."""
    for path, key in ((SERVICES, "service_id"), (RESOURCES, "resource_id")):
        at = f"{path.format(clinic.slug)}/{clinic.ids[key]}"
        for bad in ("a\0b", "\u202e", "  "):
            answer = await service.ask("PATCH", at, clinic.owner, json={"name": bad})
            assert set(pointers(answer)) == {"/name"}
        changed = await service.done("PATCH", at, clinic.owner, json={"name": "  José\tPeña "})
        assert changed["name"] == "José Peña"


async def test_bounded(service: Service, clinic: Clinic) -> None:
    """A body in which everything is wrong is answered soon and shortly, to strangers as to members."""
    hours = f"/clinics/{clinic.slug}/resources/{clinic.ids['resource_id']}/hours"
    unknown = {f"k{number}": 1 for number in range(90_000)}
    for method, path, body in (
        ("PUT", hours, b'{"spans":[' + b"{}," * 340_000 + b"{}]}"),
        ("POST", "/session", json.dumps(unknown, separators=(",", ":")).encode()),
        ("POST", "/session", json.dumps({"k" * 1_000_000: 1}).encode()),
    ):
        assert len(body) <= service.settings.max_body_bytes
        begun = process_time()
        who = clinic.owner if path == hours else {}
        answer = await service.ask(method, path, who, content=body, headers={"Content-Type": "application/json"})
        assert pointers(answer)
        assert len(answer.content) < 65_536
        assert process_time() - begun < 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a":1,}',
        b"[" * 100_000,
        b'{"given_name":"\xed\xa0\x80"}',
        b'{"\xff":1}',
        b'{"given_name":"\\ud800"}',
        b'\xef\xbb\xbf{"given_name":"a"}',
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_no_json(body: bytes, service: Service, clinic: Clinic) -> None:
    """What is no JSON is refused as such."""
    answer = await service.ask("POST", CLIENTS.format(clinic.slug), clinic.owner, content=body)
    assert set(pointers(answer).values()) <= {"malformed_json", "required"}


NOBODY = "00000000-0000-0000-0000-000000000000"


def _cursor(*key: Any) -> str:
    """A cursor with this sort key, of the right shape or not."""
    return urlsafe_b64encode(json.dumps(key).replace("{nul}", "\\u0000").encode()).decode()


CURSORS = (
    _cursor("0001-01-01T00:00:00+14:00", NOBODY),
    _cursor("9999-12-31T23:59:59-14:00", NOBODY),
    _cursor("2026-01-01T00:00:00", NOBODY),
    _cursor("infinity", NOBODY),
    _cursor(1e300, NOBODY),
    _cursor("2026-01-01T00:00:00Z"),
    _cursor(),
    "%FF%FE",
    "W10",
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/clients?limit=0", {"/limit": "invalid"}),
        ("/clients?limit=201", {"/limit": "invalid"}),
        ("/clients?cursor=x", {"/cursor": "not_a_cursor"}),
        *((f"/appointments?cursor={cursor}", {"/cursor": "not_a_cursor"}) for cursor in CURSORS),
        (f"/clients?cursor={_cursor('a', 0)}", {"/cursor": "not_a_cursor"}),
        (f"/clients?cursor={_cursor('a{nul}b', NOBODY)}", {"/cursor": "not_a_cursor"}),
        ("/clients?q=a%00b", {"/q": "invalid"}),
        ("/patients?q=%00", {"/q": "invalid"}),
        ("/search?q=ab%00%0a", {"/q": "invalid"}),
        ("/availability?service={service}&to=9999-12-31", {"/to": "out_of_range"}),
        (
            "/availability?service={service}&from=0001-01-01&to=0001-01-01",
            {"/from": "out_of_range", "/to": "out_of_range"},
        ),
        ("/availability?service={service}&from=9999-12-31", {"/from": "out_of_range"}),
        ("/availability?service={service}&from=9998-12-31", {"/from": "out_of_range"}),
        ("/agenda?date=2026-02-30", {"/date": "invalid"}),
        ("/agenda?date=0001-01-01", {"/date": "out_of_range"}),
        ("/availability?from=x", {"/from": "invalid", "/service": "required"}),
        ("/availability", {"/service": "required"}),
        ("/search?q=a", {"/q": "too_short"}),
    ],
)
async def test_bad_parameters(path: str, expected: dict[str, str], service: Service, clinic: Clinic) -> None:
    """A malformed address names its bad parameters as the address writes them."""
    asked = path.replace("{service}", clinic.ids["service_id"])
    found = pointers(await service.ask("GET", f"/clinics/{clinic.slug}{asked}", clinic.owner))
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
    """The status of a request whose body is far too large; `read` collects how much of it was taken."""
    path = f"/api/v1{CLIENTS.format(clinic.slug)}"
    sent: list[Message] = []

    async def receive() -> Any:
        read.append(65_536)
        return {"type": "http.request", "body": b" " * 65_536, "more_body": len(read) < 100}

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
    "a\0b", "a\n", "#aabbcc\n", "08:00\n", "a@correo.test\n", "2030-01-01\n",
    "\ud800", "x" * 5000, "", "\u202e", "💉", "%_\\'", None, [], {}, 10**30, -1, 1.5, True,
    "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", NOBODY, f"{NOBODY}\n", *CURSORS,
)  # fmt: skip


MARK = "the nasty bytes"
MARK_JSON = json.dumps(MARK).encode()


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
            for raw in (b'"\xed\xa0\x80"', b'"\xff"', b"9" * 5000, b"1e999", b"NaN"):
                bad_bytes = json.dumps({**(body or {}), name: MARK}).encode().replace(MARK_JSON, raw)
                yield {"Content-Type": "application/json"}, {"content": bad_bytes, "params": params}


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


ODD: dict[str, tuple[str | bytes, ...]] = {
    "Origin": ("http://[", "http://]", "//", "", b"\xff", "null", "http://" + "a" * 5000),
    "Authorization": (
        "",
        "Bearer",
        "Bearer ",
        b"Bearer \xff",
        "Bearer a.b.c",
        "Basic x",
        "Bearer " + "x" * 5000,
        b"\xff",
    ),
    "Cookie": ("coravet_session=", b"coravet_session=\xff", "coravet_session=a.b.c", ";;=;", b"\xff"),
    "Idempotency-Key": ("", " ", b"\xff", "a b", "x" * 129, "\t"),
    "X-Request-Id": ("", b"\xff", "x" * 5000, "a\tb"),
    "Content-Type": ("", ";", b"\xff", "application/json; charset=latin-1", "application/json;;", "text/\t"),
    "Host": ("", b"\xff", "[", "a:b:c"),
}


@pytest.mark.parametrize("name", ODD)
async def test_odd_headers(name: str, service: Service, clinic: Clinic) -> None:
    """No header, however odd, is answered with a fault of ours, with a token, with a cookie or with neither."""
    cookie = {"Cookie": "coravet_session=a.b.c", "Origin": service.settings.public_url}
    for who in (clinic.owner, cookie, {}):
        for value in ODD[name]:
            headers: Any = {**who, "Content-Type": "application/json", name: value}
            for method, path in (("POST", CLIENTS.format(clinic.slug)), ("POST", "/session"), ("GET", "/session")):
                answer = await service.ask(method, path, headers=headers, content=b'{"id_token": "x"}')
                assert answer.status_code < 500, (value, answer.text)
