"""Two clients who were one person: merged with all that is theirs, and parted again as if nothing had been."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from tests.integration.http.service import Clinic, Headers, Service, superuser
from tests.integration.parts.texts import shown

from coravet.adapters.postgres.patients.clients import FOLLOWED, MOVED
from coravet.core.kernel.actor import Actor, ClinicId
from coravet.core.messaging.links import mint

FATHER = {"document_type": "cedula", "document_number": "1714307103"}


class Pair:
    """Two clients of a clinic who are one person."""

    def __init__(self, service: Service, clinic: Clinic, kept: str, gone: str) -> None:
        self.service = service
        self.clinic = clinic
        self.kept = kept
        self.gone = gone

    @property
    def base(self) -> str:
        return f"/clinics/{self.clinic.slug}"

    @property
    def owner(self) -> Headers:
        return self.clinic.owner

    async def done(self, method: str, path: str, **content: Any) -> Any:
        return await self.service.done(method, f"{self.base}/{path}", self.owner, **content)

    async def refused(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        answer = await self.service.ask(method, f"{self.base}/{path}", self.owner, **content)
        assert answer.status_code == 409, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def merge(self) -> Any:
        return await self.done("POST", f"clients/{self.kept}/merge", json={"merged_id": self.gone})

    async def patient(self, client_id: str, name: str) -> str:
        animal = {"client_id": client_id, "name": name, "species": "dog"}
        made: str = (await self.done("POST", "patients", json=animal))["id"]
        return made

    async def visit(self, patient_id: str) -> Any:
        return await self.done("POST", "appointments", json={**self.clinic.visit(), "patient_id": patient_id})


async def client(service: Service, clinic: Clinic, **known: Any) -> str:
    """A new client."""
    person = {"given_name": "Segundo", "family_name": "Cedeño", **known}
    made: str = (await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person))["id"]
    return made


@pytest.fixture
async def pair(service: Service) -> Pair:
    """Two of a fresh clinic: who stays has a phone, who goes has all that one may have."""
    clinic = await service.equip(await service.open_clinic("unir"))
    kept = await client(service, clinic, phone="0991111111")
    gone = await client(service, clinic, phone="0992222222", email="segundo@correo.test", canton="2302", **FATHER)
    return Pair(service, clinic, kept, gone)


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A look past every guard."""
    async with superuser(service.settings) as connection:
        yield connection


async def test_everything(admin: asyncpg.Connection) -> None:
    """Each reference to a client is moved by a merge, or left for a reason: who adds a table decides which."""
    rows = await admin.fetch(
        "SELECT c.relname, a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[2]"
        " WHERE k.contype = 'f' AND k.confrelid = 'clients'::regclass"
    )
    referring = {(row["relname"], row["attname"]) for row in rows}
    moved = {(table, column) for table, (column, _) in MOVED.items()}
    assert moved - referring == {("links", "subject_id")}, "which refers to several tables, and so to none"
    assert referring - moved == set(FOLLOWED)


async def _furnish(pair: Pair) -> None:
    """Give who goes one of everything, and both a relation to the same patients."""
    own, shared = await pair.patient(pair.gone, "Toby"), await pair.patient(pair.kept, "Luna")
    theirs = await pair.patient(pair.gone, "Copo")
    for patient, other in ((shared, pair.gone), (theirs, pair.kept)):
        await pair.done("POST", f"patients/{patient}/parties", json={"client_id": other, "role": "co_owner"})
    await pair.visit(own)
    wish = {"service_id": pair.clinic.ids["service_id"], "patient_id": own, "from_date": "2026-01-02"}
    last_day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    await pair.done("POST", "waitlist", json={**wish, "to_date": last_day})
    await pair.done("POST", f"clients/{pair.gone}/contacts", json={"kind": "phone", "value": "0993333333"})
    agreed = {"purpose": "marketing", "decision": "accepted", "text": shown("consent-marketing")}
    await pair.done("POST", f"clients/{pair.gone}/consents", json=agreed)
    await pair.done("PUT", f"clients/{pair.gone}/channels", json={"mail": True})
    asked = {"right": "access", "client_id": pair.gone, "asked": "¿Qué datos míos tienen?"}
    await pair.done("POST", "privacy/requests", json=asked)
    actor = Actor(clinic_id=ClinicId(UUID(pair.clinic.id)), time_zone="UTC", user_id=None)
    async with pair.service.application.works.begin(actor) as work:
        pair.clinic.ids["token"] = await mint(work, "opt_out", UUID(pair.gone), datetime.now(UTC) + timedelta(days=1))
    before = await client(pair.service, pair.clinic)
    await pair.done("POST", f"clients/{pair.gone}/merge", json={"merged_id": before})


async def _stored(admin: asyncpg.Connection, clinic: Clinic) -> dict[str, list[str]]:
    """All that the clinic has but its trail of merges, events and kept answers, without versions."""
    tables = await admin.fetch(
        "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'clinic_id' AND table_name <> ALL (ARRAY['client_merges', 'outbox', 'idempotency_keys'])"
    )
    return {
        name: [
            row["row"]
            for row in await admin.fetch(
                f"SELECT (to_jsonb(t) - 'version')::text AS row FROM {name} t WHERE clinic_id = $1 ORDER BY 1",  # noqa: S608 -- the catalogue's
                UUID(clinic.id),
            )
        ]
        for (name,) in tables
    }


async def _left(admin: asyncpg.Connection, client_id: str) -> dict[str, int]:
    """How many rows of each table that moves are a client's."""
    found = {
        table: await admin.fetchval(
            f"SELECT count(*) FROM {table} WHERE {column} = $1",  # noqa: S608 -- our names
            UUID(client_id),
        )
        for table, (column, _) in MOVED.items()
    }
    return {table: count for table, count in found.items() if count}


async def test_there_and_back(pair: Pair, admin: asyncpg.Connection) -> None:
    """All that is the one's becomes the other's, whatever it is; undone, every row of the clinic is as it was."""
    await _furnish(pair)
    before = await _stored(admin, pair.clinic)
    merge = await pair.merge()
    assert (merge["client"]["id"], merge["merged"]["id"]) == (pair.kept, pair.gone)
    assert set(merge["moved"]) == {*MOVED, "added", "ended"}
    assert merge["filled"] == ["document_type", "document_number", "email", "canton"]
    assert await _left(admin, pair.gone) == {}
    kept = await pair.done("GET", f"clients/{pair.kept}")
    assert (kept["phone"], kept["email"], kept["document_number"]) == (
        "+593991111111", "segundo@correo.test", "1714307103",
    )  # fmt: skip
    contacts = (await pair.done("GET", f"clients/{pair.kept}/contacts"))["items"]
    assert {each["value"] for each in contacts} == {"+593992222222", "+593993333333"}
    consents = (await pair.done("GET", f"clients/{pair.kept}/consents"))["items"]
    assert [(each["purpose"], each["decision"]) for each in consents] == [("marketing", "accepted")]
    assert (await pair.done("GET", f"clients/{pair.kept}/channels"))["mail"]["allowed"]
    undone = await pair.done("POST", f"merges/{merge['id']}/undo")
    assert (undone["undone_by"]["member_id"], undone["undoable_until"]) == (pair.clinic.ids["owner_member_id"], None)
    assert undone["undone_by"] == merge["merged_by"]
    assert undone["undone_by"]["name"]
    assert await _stored(admin, pair.clinic) == before
    assert not (await pair.done("GET", f"clients/{pair.kept}/channels"))["mail"]["allowed"]


async def test_both_are_parties(pair: Pair) -> None:
    """Who was two things to one patient is the greater of both from now on; the other relation is ended, and kept."""
    await _furnish(pair)
    await pair.merge()
    for patient in (await pair.done("GET", "patients", params={"client_id": pair.kept}))["items"]:
        parties = (await pair.done("GET", f"patients/{patient['id']}/parties"))["items"]
        assert {each["client"]["id"] for each in parties} == {pair.kept}
        assert [each["role"] for each in parties if each["until"] is None] == ["owner"]


async def test_opt_out(pair: Pair) -> None:
    """The link in a mail that the one was sent ends the mails of the one who stays."""
    await _furnish(pair)
    await pair.merge()
    await pair.service.done("POST", f"/portal/opt-outs/{pair.clinic.ids['token']}", {})
    assert not (await pair.done("GET", f"clients/{pair.kept}/channels"))["mail"]["allowed"]


@pytest.mark.parametrize("refuses", ["kept", "gone"])
async def test_refusal_stays(pair: Pair, refuses: str) -> None:
    """What either refused before they were one stays refused, whoever spoke last, until they decide anew."""
    agrees = "gone" if refuses == "kept" else "kept"
    no, yes = (f"clients/{getattr(pair, who)}" for who in (refuses, agrees))
    agreed = {"purpose": "whatsapp", "decision": "accepted", "text": shown("consent-whatsapp")}
    photos = {"purpose": "photos", "decision": "accepted", "text": shown("consent-photos")}
    for at in (no, yes):
        await pair.done("PUT", f"{at}/channels", json={"mail": at == yes})
        await pair.done("POST", f"{at}/consents", json=agreed)
        await pair.done("POST", f"{at}/consents", json=photos)
        if at == no:
            await pair.done("PUT", f"{at}/channels", json={"whatsapp": False})
            await pair.done("POST", f"{at}/consents", json={"purpose": "photos", "decision": "withdrawn"})

    async def held() -> dict[str, str]:
        channels = await pair.done("GET", f"clients/{pair.kept}/channels")
        consents = await pair.done("GET", f"clients/{pair.kept}/consents", params={"current": "true"})
        said = {each["purpose"]: each["decision"] for each in consents["items"]}
        return (
            said
            | {name: "yes" if channels[name]["allowed"] else "no" for name in ("mail", "whatsapp")}
            | {"agreed": said["whatsapp"]}
        )

    merge = await pair.merge()
    assert await held() == {"photos": "withdrawn", "agreed": "withdrawn", "mail": "no", "whatsapp": "no"}
    await pair.done("PUT", f"clients/{pair.kept}/channels", json={"mail": True})
    await pair.done("POST", f"clients/{pair.kept}/consents", json=agreed)
    await pair.done("POST", f"clients/{pair.kept}/consents", json=photos)
    assert await held() == {"photos": "accepted", "agreed": "accepted", "mail": "yes", "whatsapp": "yes"}
    await pair.done("POST", f"merges/{merge['id']}/undo")
    gone = await pair.done("GET", f"clients/{pair.gone}/channels")
    assert gone["mail"]["allowed"] == gone["whatsapp"]["allowed"] == (agrees == "gone")


async def test_equal_contacts(pair: Pair) -> None:
    """A number that both had is shown once, and gone once it is removed; parted, each has their own again."""
    for who, numbers in ((pair.kept, ("0993333333",)), (pair.gone, ("0993333333", "0991111111"))):
        for value in numbers:
            await pair.done("POST", f"clients/{who}/contacts", json={"kind": "phone", "value": value})

    async def shown(who: str) -> list[str]:
        return [each["value"] for each in (await pair.done("GET", f"clients/{who}/contacts"))["items"]]

    merge = await pair.merge()
    assert await shown(pair.kept) == ["+593993333333", "+593992222222"]
    await pair.done("POST", f"merges/{merge['id']}/undo")
    assert await shown(pair.gone) == ["+593993333333", "+593991111111"]
    await pair.merge()
    [first, _] = (await pair.done("GET", f"clients/{pair.kept}/contacts"))["items"]
    await pair.done("DELETE", f"clients/{pair.kept}/contacts/{first['id']}")
    assert await shown(pair.kept) == ["+593992222222"]


async def test_gone(pair: Pair) -> None:
    """Who was merged is in no list, found by nothing and cannot be changed; whoever asks is told where they went."""
    owned = await pair.patient(pair.gone, "Toby")
    await pair.merge()
    assert (await pair.done("GET", f"clients/{pair.gone}"))["merged_into_id"] == pair.kept
    listed = (await pair.done("GET", "clients", params={"q": "segundo"}))["items"]
    assert [each["id"] for each in listed] == [pair.kept]
    found = (await pair.done("GET", "search", params={"q": "segundo cedeno"}))["items"]
    assert pair.gone not in {each["client_id"] for each in found}
    animal = {"client_id": pair.gone, "name": "Luna", "species": "cat"}
    for method, path, body in (
        ("PATCH", f"clients/{pair.gone}", {"given_name": "Eva"}),
        ("POST", "patients", animal),
        ("POST", f"clients/{pair.gone}/contacts", {"kind": "phone", "value": "0994444444"}),
        ("POST", f"patients/{owned}/parties", {"client_id": pair.gone, "role": "co_owner"}),
        ("POST", f"clients/{pair.kept}/merge", {"merged_id": pair.gone}),
        ("POST", f"clients/{pair.gone}/merge", {"merged_id": pair.kept}),
    ):
        told = await pair.refused(method, path, json=body)
        assert (told["code"], told["merged_into_id"]) == ("client_merged", pair.kept), path
    assert (await pair.visit(owned))["client"]["id"] == pair.kept
    guest = {"given_name": "Segundo", "family_name": "Cedeño", "phone": "0992222222"}
    at = f"/portal/clinics/{pair.clinic.slug}/bookings"
    await pair.service.done(
        "POST", at, {}, json=pair.clinic.guest(client=guest, patient={"name": "Toby", "species": "dog"})
    )
    visits = (await pair.done("GET", "appointments", params={"patient_id": owned}))["items"]
    assert [each["client"]["id"] for each in visits] == [pair.kept] * 2
    itself = await pair.service.ask(
        "POST", f"{pair.base}/clients/{pair.kept}/merge", pair.owner, json={"merged_id": pair.kept}
    )
    assert [each["code"] for each in itself.json()["errors"]] == ["same_client"]


async def test_warnings(service: Service, pair: Pair) -> None:
    """Two documents, or a death that only one knows of, speak against one person, and are left to those who know."""
    other = {"document_type": "cedula", "document_number": "2300000003"}
    await pair.done("PATCH", f"clients/{pair.kept}", json=other)
    await pair.done("POST", f"clients/{pair.gone}/deceased", json={"on": "2026-01-02"})
    merge = await pair.merge()
    assert [(each["pointer"], each["code"]) for each in merge["warnings"]] == [
        ("/document_number", "differs"),
        ("/deceased_on", "differs"),
    ]
    kept = await pair.done("GET", f"clients/{pair.kept}")
    assert (kept["document_number"], kept["deceased_on"]) == ("2300000003", "2026-01-02")


async def test_changed_since(pair: Pair) -> None:
    """Undoing leaves what was changed by hand, takes back what was filled, and what is to come follows the animal.

    A visit that is over, off or under way tells whom it was for. Links to what goes back end.
    """
    owned, other = await pair.patient(pair.gone, "Toby"), await pair.patient(pair.kept, "Luna")
    earlier = await pair.visit(owned)
    merge = await pair.merge()
    visit, off, theirs = await pair.visit(owned), await pair.visit(owned), await pair.visit(other)
    await pair.done("POST", f"appointments/{off['id']}/cancel")
    last_day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    wish = {"service_id": pair.clinic.ids["service_id"], "from_date": "2026-01-02", "to_date": last_day}
    entries = [await pair.done("POST", "waitlist", json={**wish, "patient_id": each}) for each in (owned, other)]
    actor = Actor(clinic_id=ClinicId(UUID(pair.clinic.id)), time_zone="UTC", user_id=None)
    async with pair.service.application.works.begin(actor) as work:
        token = await mint(work, "see", UUID(visit["id"]), datetime.now(UTC) + timedelta(days=1))
    assert (await pair.service.ask("GET", f"/portal/bookings/{token}", {})).status_code == 200
    await pair.done("PATCH", f"clients/{pair.kept}", json={"email": "nuevo@correo.test"})
    await pair.done("POST", f"merges/{merge['id']}/undo")
    kept, gone = [await pair.done("GET", f"clients/{each}") for each in (pair.kept, pair.gone)]
    assert (kept["email"], kept["document_number"]) == ("nuevo@correo.test", None)
    assert (gone["email"], gone["document_number"], gone["merged_into_id"]) == (
        "segundo@correo.test", "1714307103", None,
    )  # fmt: skip
    assert (await pair.done("GET", f"patients/{owned}"))["client_id"] == pair.gone
    visits = [await pair.done("GET", f"appointments/{each['id']}") for each in (earlier, visit, off, theirs)]
    assert [each["client"]["id"] for each in visits] == [pair.gone, pair.gone, pair.kept, pair.kept]
    waiting = {each["id"]: each["client"]["id"] for each in (await pair.done("GET", "waitlist"))["items"]}
    assert [waiting[each["id"]] for each in entries] == [pair.gone, pair.kept]
    assert (await pair.service.ask("GET", f"/portal/bookings/{token}", {})).status_code == 404


async def test_not_undoable(pair: Pair, admin: asyncpg.Connection) -> None:
    """A merge is undone once, within 30 days, the last one first, and not where somebody else has the document now."""
    third = await client(pair.service, pair.clinic)
    merge = await pair.merge()
    later = await pair.done("POST", f"clients/{third}/merge", json={"merged_id": pair.kept})
    assert (await pair.done("GET", f"clients/{pair.gone}"))["merged_into_id"] == third
    undo = f"merges/{merge['id']}/undo"
    told = await pair.refused("POST", undo)
    assert (told["code"], told["why"]) == ("merge_not_undoable", "merged_again")
    await pair.done("POST", f"merges/{later['id']}/undo")
    assert (await pair.done("GET", f"clients/{pair.gone}"))["merged_into_id"] == pair.kept
    await pair.done("PATCH", f"clients/{pair.kept}", json={"document_type": None, "document_number": None})
    await pair.done("PATCH", f"clients/{third}", json=FATHER)
    assert (await pair.refused("POST", undo))["code"] == "duplicate"
    await pair.done("PATCH", f"clients/{third}", json={"document_type": None, "document_number": None})
    past = "UPDATE client_merges SET merged_at = merged_at - $2::interval WHERE id = $1"
    await admin.execute(past, UUID(merge["id"]), timedelta(days=30, seconds=1))
    told = await pair.refused("POST", undo)
    assert (told["code"], told["why"]) == ("merge_not_undoable", "expired")
    await admin.execute(past, UUID(merge["id"]), timedelta(days=-1))
    await pair.done("POST", undo)
    assert (await pair.refused("POST", undo))["why"] == "undone"
    merges = (await pair.done("GET", "merges", params={"client_id": pair.kept}))["items"]
    assert [each["id"] for each in merges] == [later["id"], merge["id"]]
    await pair.merge()


async def _waits(admin: asyncpg.Connection, asked: asyncio.Task[Any]) -> bool:
    """Whether what was asked comes to wait for a lock, before it is done."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not asked.done():
        if await admin.fetchval(waiting):
            return True
        await asyncio.sleep(0.005)
    return False


async def test_held(pair: Pair, admin: asyncpg.Connection) -> None:
    """Whoever is about to book for a client, or to refer to one, keeps them from being merged until that is done."""
    owned = UUID(await pair.patient(pair.gone, "Toby"))
    actor = Actor(clinic_id=ClinicId(UUID(pair.clinic.id)), time_zone="UTC", user_id=None)
    for look in ("booked", "get", "lock"):
        begin = pair.service.application.works.begin(actor)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks, begin as work:
            if look == "booked":
                await work.offers.booked(owned)
            else:
                await getattr(work.clients, look)(UUID(pair.gone))
            merging = tasks.create_task(pair.merge())
            assert await _waits(admin, merging), look
        await pair.done("POST", f"merges/{merging.result()['id']}/undo")


async def test_waited(pair: Pair, admin: asyncpg.Connection) -> None:
    """Who asked to book or refer while a merge was under way finds the client who stays, or is told of them."""
    owned = UUID(await pair.patient(pair.gone, "Toby"))
    actor = Actor(clinic_id=ClinicId(UUID(pair.clinic.id)), time_zone="UTC", user_id=None)
    animal = {"client_id": pair.gone, "name": "Luna", "species": "cat"}
    begin = pair.service.application.works.begin(actor)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks, begin as work:
        kept, gone = await work.merges.both(UUID(pair.kept), UUID(pair.gone))
        gone.merged_into_id = kept.id
        await work.merges.move(gone.id, kept.id, datetime.now(UTC))
        booking = tasks.create_task(pair.visit(str(owned)))
        assert await _waits(admin, booking)
        registering = tasks.create_task(pair.refused("POST", "patients", json=animal))
        assert await _waits(admin, registering)
    assert booking.result()["client"]["id"] == pair.kept
    assert registering.result()["merged_into_id"] == pair.kept


async def test_copied(pair: Pair, admin: asyncpg.Connection) -> None:
    """What a visit leaves behind that is moved while its client is merged is the one's who stays, too."""
    visit = UUID((await pair.visit(await pair.patient(pair.gone, "Toby")))["id"])
    actor = Actor(clinic_id=ClinicId(UUID(pair.clinic.id)), time_zone="UTC", user_id=None)
    begin = pair.service.application.works.begin(actor)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks, begin as work:
        await work.appointments.lock(visit)
        merging = tasks.create_task(pair.merge())
        assert await _waits(admin, merging)
        await work.history.set_aside(visit, work.new_id(), datetime.now(UTC))
    assert await _left(admin, pair.gone) == {}


async def test_ring(service: Service, admin: asyncpg.Connection) -> None:
    """Three who are each merged into the next at once never end up in a ring: one always stays."""
    clinic = await service.equip(await service.open_clinic("ronda"))
    for _ in range(6):
        ids = [await client(service, clinic) for _ in range(3)]
        asked = [(ids[number], ids[(number + 1) % 3]) for number in range(3)]
        asked += [(gone, kept) for kept, gone in asked]
        random.Random(5).shuffle(asked)  # noqa: S311 -- repeatable
        answers = await asyncio.gather(
            *(
                service.ask(
                    "POST", f"/clinics/{clinic.slug}/clients/{kept}/merge", clinic.owner, json={"merged_id": gone}
                )
                for kept, gone in asked
            )
        )
        codes = [answer.json().get("code", "merged") for answer in answers]
        assert set(codes) <= {"merged", "client_merged", "contended"}, codes
        assert 1 <= codes.count("merged") <= 2, codes
        rows = await admin.fetch("SELECT id, merged_into_id FROM clients WHERE id = ANY ($1)", [UUID(e) for e in ids])
        standing = {row["id"] for row in rows if row["merged_into_id"] is None}
        assert len(standing) == 3 - codes.count("merged")
        assert {row["merged_into_id"] for row in rows} - {None} <= standing


async def test_meanwhile(service: Service, admin: asyncpg.Connection) -> None:
    """What is booked, registered or added for somebody while they are merged is the one's who stays, or refused."""
    clinic = await service.equip(await service.open_clinic("prisa"))
    told: set[str] = set()
    for number in range(8):
        pair = Pair(service, clinic, await client(service, clinic), await client(service, clinic))
        owned, other = await pair.patient(pair.gone, "Toby"), await pair.patient(pair.kept, "Luna")
        standing = (await pair.visit(owned))["id"]
        requests: list[tuple[str, str, Any]] = [
            ("POST", f"clients/{pair.kept}/merge", {"merged_id": pair.gone}),
            ("POST", "appointments", {**clinic.visit(), "patient_id": owned}),
            ("POST", "appointments/walk-in", {**clinic.visit(), "patient_id": owned}),
            ("POST", f"appointments/{standing}/reschedule", {"starts_at": clinic.slot()}),
            ("POST", "patients", {"client_id": pair.gone, "name": "Copo", "species": "cat"}),
            ("POST", f"patients/{other}/parties", {"client_id": pair.gone, "role": "co_owner"}),
            ("POST", f"patients/{other}/transfer", {"client_id": pair.gone}),
            ("POST", f"clients/{pair.gone}/contacts", {"kind": "email", "value": "yo@correo.test"}),
        ]
        requests[2][2].pop("starts_at")
        random.Random(number).shuffle(requests)  # noqa: S311 -- repeatable
        answers = await asyncio.gather(
            *(service.ask(method, f"{pair.base}/{path}", clinic.owner, json=body) for method, path, body in requests)
        )
        for (_, path, _), answer in zip(requests, answers, strict=True):
            code = answer.json().get("code", "done")
            told.add(code)
            assert code in {"done", "client_merged", "contended", "duplicate", "no_time_soon"}, (path, answer.text)
        if answers[[path for _, path, _ in requests].index(f"clients/{pair.kept}/merge")].is_success:
            assert await _left(admin, pair.gone) == {}
    assert {"done", "client_merged"} <= told


async def test_no_deadlock(service: Service) -> None:
    """Who transfers a patient or adds a party while its owner is merged or parted waits, and need not repeat."""
    clinic = await service.equip(await service.open_clinic("turnos"))
    for number in range(8):
        pair = Pair(service, clinic, await client(service, clinic), await client(service, clinic))
        owned, third = await pair.patient(pair.gone, "Toby"), await client(service, clinic)
        undoing = number % 2 == 1
        if undoing:
            merge = f"merges/{(await pair.merge())['id']}/undo", None
        else:
            merge = f"clients/{pair.kept}/merge", {"merged_id": pair.gone}
        transfer = f"patients/{owned}/transfer", {"client_id": third if undoing else pair.kept}
        party = f"patients/{owned}/parties", {"client_id": pair.kept if undoing else third, "role": "co_owner"}
        requests: list[tuple[str, Any]] = [merge, transfer, party]
        random.Random(number).shuffle(requests)  # noqa: S311 -- repeatable
        answers = await asyncio.gather(
            *(service.ask("POST", f"{pair.base}/{path}", clinic.owner, json=body) for path, body in requests)
        )
        codes = [answer.json().get("code", "done") for answer in answers]
        # The keeper owns the patient already where the merge came first.
        assert set(codes) <= {"done", "duplicate", "invalid"}, [answer.text for answer in answers]
