"""A rights request over HTTP: what is registered, what each step needs, and what executing one does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.messaging.scene import Scene, set_scene
from tests.integration.messaging.servers import MailServer
from tests.integration.parts.texts import shown

WORDS = "¿Qué datos míos tienen, y quién los vio?"


class Desk:
    """Whoever handles requests in one clinic."""

    def __init__(self, service: Service, clinic: Clinic) -> None:
        self.service = service
        self.clinic = clinic
        self.base = f"/clinics/{clinic.slug}/privacy/requests"

    async def open(self, right: str = "access", **fields: Any) -> Any:
        """A request by the clinic's client, unless somebody else is named."""
        who = {} if "name" in fields else {"client_id": self.clinic.ids["client_id"]}
        body = {"right": right, "asked": WORDS, **who, **fields}
        return await self.service.done("POST", self.base, self.clinic.owner, json=body)

    async def ask(self, request: Any, step: str, **fields: Any) -> tuple[int, Any]:
        """Status and answer of a step."""
        body = {"version": request["version"], "step": step, **fields}
        answer = await self.service.ask("PATCH", f"{self.base}/{request['id']}", self.clinic.owner, json=body)
        return answer.status_code, answer.json()

    async def take(self, request: Any, step: str, **fields: Any) -> Any:
        """The request after a step that can be taken."""
        status, answer = await self.ask(request, step, **fields)
        assert status == 200, answer
        return answer

    async def executed(self, right: str, **fields: Any) -> Any:
        """A request that was granted and executed."""
        request = await self.take(await self.open(right), "prove_identity", method="document_shown")
        request = await self.take(request, "decide", outcome="granted", text="Sí.")
        return await self.take(request, "execute", **fields)

    async def client(self) -> Any:
        at = f"/clinics/{self.clinic.slug}/clients/{self.clinic.ids['client_id']}"
        return await self.service.done("GET", at, self.clinic.owner)


@pytest.fixture
async def desk(service: Service) -> Desk:
    """The desk of a clinic of this test's own."""
    return Desk(service, await service.equip(await service.open_clinic("derechos")))


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A look past every guard."""
    async with superuser(service.settings) as connection:
        yield connection


async def test_life(desk: Desk) -> None:
    """From receipt to the end, each step is on record with who took it, when, and what was said."""
    request = await desk.open(channel="letter", received_at="2025-06-03T04:59:00Z")
    # Monday 2 June in the clinic, Tuesday in UTC: ten business days on.
    assert (request["due_on"], request["status"], request["late"]) == ("2025-06-16", "received", True)
    whose = {"client_id": desk.clinic.ids["client_id"], "name": "Zoila Quimbiurco", "contact": None}
    assert request["subject"] == whose
    request = await desk.take(request, "prove_identity", method="document_shown")
    request = await desk.take(request, "decide", outcome="partly", basis="third_parties", text="Menos lo de terceros.")
    export = str(uuid4())
    request = await desk.take(request, "execute", reference=export)
    request = await desk.take(request, "close")
    assert (request["status"], request["late"], request["executed_reference"]) == ("closed", True, export)
    assert [(each["step"], each["status"]) for each in request["steps"]] == [
        ("receive", "received"),
        ("prove_identity", "identified"),
        ("decide", "decided"),
        ("execute", "executed"),
        ("close", "closed"),
    ]
    assert {each["by"]["member_id"] for each in request["steps"]} == {desk.clinic.ids["owner_member_id"]}
    assert request["steps"][0]["due_on"] == request["due_on"]
    assert request["steps"][2]["text"] == "Menos lo de terceros."
    assert request == await desk.service.done("GET", f"{desk.base}/{request['id']}", desk.clinic.owner)


@pytest.mark.parametrize(
    ("received_at", "due_on"),
    [
        ("2025-06-03T04:59:59.999999Z", "2025-06-16"),
        ("2025-06-03T05:00:00Z", "2025-06-17"),
        ("2025-10-09T23:59:00-05:00", "2025-10-24"),  # the eve of Friday 10 October, on which the country rests
        ("2025-12-24T10:00:00-05:00", "2026-01-08"),  # 25 December and 1 January rest
    ],
)
async def test_due_by_the_clinics_day(received_at: str, due_on: str, desk: Desk) -> None:
    """The terms run from the clinic's own day of receipt, whatever day it was in UTC."""
    assert (await desk.open(received_at=received_at))["due_on"] == due_on


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"received_at": "2999-01-01T00:00:00Z"}, ["/received_at"]),
        ({"received_at": "2021-05-25T12:00:00Z"}, ["/received_at"]),
        ({"received_at": "2025-01-01T12:00:00"}, ["/received_at"]),
        ({"asked": " \n "}, ["/asked"]),
        ({"minor": True}, ["/representative"]),
        ({"name": "Eva"}, ["/name"]),
        ({"client_id": None}, ["/name", "/contact"]),
        ({"client_id": None, "name": "Eva", "contact": " "}, ["/contact"]),
        ({"right": "forgotten"}, ["/right"]),
        ({"due_on": "2030-01-01"}, ["/due_on"]),
        ({"right": "x", "asked": "", "client_id": None}, ["/asked", "/contact", "/name", "/right"]),
    ],
)
async def test_bad_requests(fields: dict[str, Any], pointers: list[str], service: Service, clinic: Clinic) -> None:
    """What cannot be is refused, every bad field at once; the due date is nobody's to set."""
    body = {"right": "access", "asked": WORDS, "client_id": clinic.ids["client_id"], **fields}
    answer = await service.ask("POST", f"/clinics/{clinic.slug}/privacy/requests", clinic.owner, json=body)
    assert answer.status_code == 422
    assert sorted(each["pointer"] for each in answer.json()["errors"]) == sorted(pointers)


async def test_somebody_else(desk: Desk) -> None:
    """Who is no client asks under their name, a child through whoever represents it; and nothing else is done."""
    who = {"name": "Eva Vera", "contact": "eva@correo.test", "minor": True, "representative": "Ana Vera, su madre"}
    request = await desk.open("suspension", **who)
    assert request["subject"] == {"client_id": None, "name": "Eva Vera", "contact": "eva@correo.test"}
    assert request["representative"] == "Ana Vera, su madre"
    request = await desk.take(request, "prove_identity", method="known_in_person")
    request = await desk.take(request, "decide", outcome="granted", text="Nada más se hará.")
    request = await desk.take(request, "execute")
    assert (await desk.take(request, "lift"))["lifted_at"] is not None


@pytest.mark.parametrize(
    ("steps", "status", "code"),
    [
        ([("execute", {})], 409, "invalid_transition"),
        ([("decide", {"outcome": "granted", "text": "Sí"})], 409, "invalid_transition"),
        ([("decide", {"outcome": "refused", "basis": "contract", "text": "No"})], 409, "invalid_transition"),
        ([("decide", {"outcome": "refused", "text": "No"})], 422, "invalid"),
        ([("decide", {"outcome": "granted", "basis": "contract", "text": "Sí"})], 422, "invalid"),
        ([("prove_identity", {})], 422, "invalid"),
        ([("prove_identity", {"method": "document_shown", "text": "0912345678"})], 422, "invalid"),
        ([("close", {})], 409, "invalid_transition"),
        ([("clarify", {"text": "Esto."})], 409, "invalid_transition"),
        ([("ask", {"text": "¿Cuál?"}), ("ask", {"text": "¿Y cuál?"})], 409, "invalid_transition"),
        ([("lift", {})], 409, "invalid_transition"),
        ([("withdraw", {}), ("prove_identity", {"method": "document_shown"})], 409, "invalid_transition"),
        ([("receive", {})], 422, "invalid"),
    ],
)
async def test_refused_steps(
    steps: list[tuple[str, dict[str, Any]]], status: int, code: str, service: Service, clinic: Clinic
) -> None:
    """No step is taken out of order, and none without what it needs; what was refused leaves no trace."""
    desk = Desk(service, clinic)
    request = await desk.open()
    for step, fields in steps[:-1]:
        request = await desk.take(request, step, **fields)
    step, fields = steps[-1]
    found, answer = await desk.ask(request, step, **fields)
    assert (found, answer["code"]) == (status, code)
    assert await service.done("GET", f"{desk.base}/{request['id']}", clinic.owner) == request


async def test_stale(desk: Desk) -> None:
    """A step that names an old version is refused with the present one."""
    request = await desk.open()
    await desk.take(request, "prove_identity", method="document_shown")
    status, answer = await desk.ask(request, "withdraw")
    assert (status, answer["code"], answer["version"]) == (409, "stale_version", 2)


async def test_late_clarification(desk: Desk) -> None:
    """After five days nothing may be asked any more; within them once, and the due date stays where it is."""
    old = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    status, answer = await desk.ask(await desk.open(received_at=old), "ask", text="¿Cuál de las dos mascotas?")
    assert (status, answer["code"]) == (409, "invalid_transition")
    request = await desk.open()
    asked = await desk.take(request, "ask", text="¿Cuál de las dos mascotas?")
    assert asked["due_on"] == request["due_on"]
    assert asked["clarification"]["answered_at"] is None
    refusal = {"outcome": "refused", "basis": "not_clarified", "text": "No se aclaró."}
    asked = await desk.take(asked, "prove_identity", method="document_shown")
    status, answer = await desk.ask(asked, "decide", **refusal)
    assert (status, answer["code"]) == (409, "invalid_transition"), "it may still be answered"
    clear = await desk.take(asked, "clarify", text="La gata.")
    assert clear["clarification"]["answered_at"] is not None


async def test_unproven(desk: Desk) -> None:
    """Who does not prove who they are is refused for that reason, and nothing is executed."""
    reason = {"outcome": "refused", "basis": "identity_not_proven", "text": "No mostró documento."}
    request = await desk.take(await desk.open("erasure"), "decide", **reason)
    status, _ = await desk.ask(request, "execute", reference=str(uuid4()))
    assert status == 409
    assert (await desk.take(request, "close"))["decision"]["basis"] == "identity_not_proven"


async def test_correction(desk: Desk) -> None:
    """A correction is executed when whoever was given the data was told (art. 14)."""
    request = await desk.take(await desk.open("correction"), "prove_identity", method="confirmed_contact")
    request = await desk.take(request, "decide", outcome="granted", text="Corregido.")
    status, answer = await desk.ask(request, "execute")
    assert (status, [each["pointer"] for each in answer["errors"]]) == (422, ["/recipients_told"])
    request = await desk.take(request, "execute", recipients_told=True)
    assert request["steps"][-1]["recipients_told"] is True


async def test_erasure(desk: Desk) -> None:
    """A client is erased for a request that was granted, and it is executed by that erasure and no other."""
    base, owner = f"/clinics/{desk.clinic.slug}", desk.clinic.owner
    person = {"given_name": "Eulalia", "family_name": "Toapanta"}
    mine, other = [(await desk.service.done("POST", f"{base}/clients", owner, json=person))["id"] for _ in range(2)]
    desk.clinic.ids["client_id"] = mine
    request = await desk.take(await desk.open("erasure"), "prove_identity", method="document_shown")
    access = await desk.open("access")
    named = {"request_id": request["id"]}
    for client_id, body, code in (
        (mine, named, "invalid_transition"),
        (other, named, "not_found"),
        (mine, {"request_id": access["id"]}, "not_found"),
        (mine, {"request_id": str(uuid4())}, "not_found"),
    ):
        answer = await desk.service.ask("POST", f"{base}/clients/{client_id}/erase", owner, json=body)
        assert answer.json()["code"] == code
    request = await desk.take(request, "decide", outcome="granted", text="Se eliminará todo lo suyo.")
    assert (await desk.ask(request, "execute"))[0] == 422
    erased = [
        (await desk.service.done("POST", f"{base}/clients/{client_id}/erase", owner, json=body))["id"]
        for client_id, body in ((mine, named), (other, {}))
    ]
    for wrong in (str(uuid4()), erased[1]):
        assert (await desk.ask(request, "execute", reference=wrong))[0] == 404
    request = await desk.take(request, "execute", reference=erased[0])
    request = await desk.take(request, "close")
    assert [each["step"] for each in request["steps"]] == ["receive", "prove_identity", "decide", "execute", "close"]
    assert (request["asked"], {each["text"] for each in request["steps"]}) == (None, {None})
    assert WORDS not in str(request)
    found = await desk.service.ask(
        "POST", desk.base, owner, json={"right": "access", "asked": WORDS, "client_id": mine}
    )
    assert found.status_code == 404, "nothing is asked any more under the name of who was erased"


async def test_nobodys_erasure(desk: Desk, admin: asyncpg.Connection) -> None:
    """Once somebody who is no client was told of their erasure, their request names nobody; refused, it still does."""
    who = {"name": "Eva Vera", "contact": "eva@correo.test", "minor": True, "representative": "Ana Vera, su madre"}
    request = await desk.take(await desk.open("erasure", **who), "prove_identity", method="document_shown")
    request = await desk.take(request, "decide", outcome="granted", text="Sí.")
    request = await desk.take(request, "execute")
    assert request["subject"]["contact"] == "eva@correo.test"  # where they are told
    request = await desk.take(request, "close")
    assert request["subject"] == {"client_id": None, "name": "[eliminado]", "contact": None}
    assert (request["asked"], request["representative"], request["minor"]) == (None, "[eliminado]", True)
    row = await admin.fetchval("SELECT to_jsonb(r)::text FROM privacy_requests r WHERE id = $1", UUID(request["id"]))
    assert not [word for word in ("Eva", "eva@", "Ana Vera", WORDS) if word in row]
    request = await desk.take(await desk.open("erasure", **who), "prove_identity", method="document_shown")
    request = await desk.take(request, "decide", outcome="refused", basis="claims", text="No.")
    assert (await desk.take(request, "close"))["subject"]["name"] == "Eva Vera"


async def test_other_requests_of_who_was_erased(desk: Desk, admin: asyncpg.Connection) -> None:
    """Nothing is written of somebody who was erased, in their other requests either, nor past the service; such a
    request can be withdrawn."""
    request = await desk.open()
    at = f"/clinics/{desk.clinic.slug}/clients/{desk.clinic.ids['client_id']}/erase"
    await desk.service.done("POST", at, desk.clinic.owner)
    status, answer = await desk.ask(request, "ask", text="Zoila Quimbiurco, 0991234567")
    assert (status, answer["code"]) == (409, "invalid_transition")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await admin.execute(
            "INSERT INTO privacy_request_steps (clinic_id, id, request_id, step, status, at, text)"
            " VALUES ($1, gen_random_uuid(), $2, 'clarify', 'received', now(), 'Zoila')",
            UUID(desk.clinic.id),
            UUID(request["id"]),
        )
    request = await desk.take(request, "withdraw")
    assert [step["text"] for step in request["steps"]] == [None, None]


async def test_objection(desk: Desk) -> None:
    """An objection ends consent to marketing and every reminder; it is never refused as a whole (art. 16)."""
    at = f"/clinics/{desk.clinic.slug}/clients/{desk.clinic.ids['client_id']}"
    for purpose in ("marketing", "whatsapp"):
        agreed = {"purpose": purpose, "decision": "accepted", "text": shown(f"consent-{purpose}")}
        await desk.service.done("POST", f"{at}/consents", desk.clinic.owner, json=agreed)
    await desk.service.done("PUT", f"{at}/channels", desk.clinic.owner, json={"mail": True})
    request = await desk.take(await desk.open("objection"), "prove_identity", method="document_shown")
    status, _ = await desk.ask(request, "decide", outcome="refused", basis="contract", text="No.")
    assert status == 409
    request = await desk.take(request, "decide", outcome="partly", basis="contract", text="Sin publicidad.")
    before = (await desk.client())["version"]
    await desk.take(request, "execute")
    held = await desk.service.done("GET", f"{at}/consents", desk.clinic.owner, params={"current": "true"})
    assert {each["purpose"]: (each["decision"], each["source"]) for each in held["items"]} == {
        "marketing": ("withdrawn", "rights_request"),
        "whatsapp": ("withdrawn", "rights_request"),
    }
    channels = await desk.service.done("GET", f"{at}/channels", desk.clinic.owner)
    assert {channels[each]["allowed"] for each in ("mail", "whatsapp")} == {False}
    assert (await desk.client())["version"] == before + 1


async def test_suspension(service: Service, mails: MailServer) -> None:
    """A suspended client is marked wherever they are shown, and sent nothing until that is lifted (art. 19)."""
    scene: Scene = await set_scene(service, mails.port)
    desk = Desk(service, scene.clinic)
    await scene.choose(mail=True)
    request = await desk.executed("suspension")
    assert (await desk.client())["suspended_at"] is not None
    listed = await service.done("GET", f"/clinics/{scene.clinic.slug}/clients", scene.clinic.owner)
    assert [each["id"] for each in listed["items"] if each["suspended_at"]] == [scene.clinic.ids["client_id"]]
    visit = await scene.visit()
    for kind in ("visit_booked", "visit_reminder"):
        ids = await scene.queue(kind, visit["id"])  # type: ignore[arg-type]  # both are kinds
        for message_id in ids.values():
            await scene.send(message_id)
            row = await scene.row(message_id)
            assert (row["status"], row["why"]) == ("skipped", "client_suspended")
    assert mails.tried == 0
    second = await desk.executed("suspension")
    request = await desk.take(await desk.take(request, "close"), "lift")
    assert request["status"] == "closed"
    assert (await desk.client())["suspended_at"] is not None, "the other request still holds"
    await desk.take(second, "lift")
    assert (await desk.client())["suspended_at"] is None
    ids = await scene.queue("visit_booked", (await scene.visit())["id"])
    await scene.send(ids["mail"])
    assert (await scene.row(ids["mail"]))["status"] == "sent"


async def test_suspended_and_merged(desk: Desk) -> None:
    """Whoever a suspended client turns out to be is suspended; neither is, once that is lifted and they are parted."""
    base, owner = f"/clinics/{desk.clinic.slug}", desk.clinic.owner
    request = await desk.executed("suspension")
    person = {"given_name": "Zoila", "family_name": "Quimbiurco"}
    kept = (await desk.service.done("POST", f"{base}/clients", owner, json=person))["id"]
    merge = {"merged_id": desk.clinic.ids["client_id"]}
    made = await desk.service.done("POST", f"{base}/clients/{kept}/merge", owner, json=merge)
    assert (await desk.service.done("GET", f"{base}/clients/{kept}", owner))["suspended_at"] is not None
    request = await desk.service.done("GET", f"{desk.base}/{request['id']}", owner)
    assert request["subject"]["client_id"] == kept
    await desk.take(request, "lift")
    await desk.service.done("POST", f"{base}/merges/{made['id']}/undo", owner)
    for each in (kept, desk.clinic.ids["client_id"]):
        assert (await desk.service.done("GET", f"{base}/clients/{each}", owner))["suspended_at"] is None


async def test_lists(desk: Desk) -> None:
    """What is due first comes first, closed ones last; overdue ones and those of one right are found, page by page."""
    late = await desk.open("portability", received_at="2025-01-06T12:00:00Z")
    soon, later = await desk.open("suspension"), await desk.open("access")
    closed = await desk.take(await desk.open(received_at="2025-01-07T12:00:00Z"), "withdraw")

    async def listed(**query: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            params = {**query, "limit": 1, **({"cursor": cursor} if cursor else {})}
            page = await desk.service.done("GET", desk.base, desk.clinic.owner, params=params)
            found += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert await listed() == [late["id"], soon["id"], later["id"], closed["id"]]
    assert await listed(open="true") == [late["id"], soon["id"], later["id"]]
    assert await listed(open="false") == [closed["id"]]
    assert await listed(overdue="true") == [late["id"]]
    assert await listed(right="access", open="true") == [later["id"]]
    page = await desk.service.done("GET", desk.base, desk.clinic.owner)
    assert [each["late"] for each in page["items"]] == [True, False, False, True]


async def test_while_texts_wait(desk: Desk) -> None:
    """Nobody's right waits for the clinic to accept legal texts."""
    with desk.service.legal_pending():
        request = await desk.open()
        await desk.take(request, "prove_identity", method="document_shown")
        await desk.service.done("GET", desk.base, desk.clinic.owner)


async def test_idempotent(desk: Desk) -> None:
    """A repeated POST registers nothing twice."""
    body = {"right": "access", "asked": WORDS, "client_id": desk.clinic.ids["client_id"]}
    headers = {"Idempotency-Key": uuid4().hex}
    answers = [
        (await desk.service.ask("POST", desk.base, desk.clinic.owner, headers=headers, json=body)).json()["id"]
        for _ in range(2)
    ]
    assert len(set(answers)) == 1


STATEMENTS = {
    "UPDATE": "UPDATE privacy_request_steps SET due_on = '2099-01-01', text = 'otro' WHERE request_id = $1",
    "clear": "UPDATE privacy_request_steps SET text = NULL WHERE request_id = $1 AND step = 'decide'",
    "DELETE": "DELETE FROM privacy_request_steps WHERE request_id = $1",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("role", ["app", "owner", "system", "superuser"])
async def test_register_stays(role: str, statement: str, desk: Desk, admin: asyncpg.Connection) -> None:
    """Nobody changes or removes what the register says: not the application, the system, the owner or a superuser."""
    request = await desk.take(await desk.open(), "prove_identity", method="document_shown")
    request = await desk.take(request, "decide", outcome="granted", text="Sí.")
    prefix = desk.service.settings.database_role_prefix
    async with admin.transaction():
        if role != "superuser":
            await admin.execute(f"SET LOCAL app.clinic_id = '{UUID(desk.clinic.id)}'")
            await admin.execute(f'SET LOCAL ROLE "{prefix}_{role}"')
        if role == "owner":
            # It owns the table and is bound by its policies: it sees no row unless it goes out of its way.
            await admin.execute("ALTER TABLE privacy_request_steps NO FORCE ROW LEVEL SECURITY")
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError)):
            async with admin.transaction():
                await admin.execute(statement, UUID(request["id"]))
    with pytest.raises(asyncpg.RestrictViolationError):
        await admin.execute("TRUNCATE privacy_request_steps")
