"""An event is written in the transaction that made it true, and carries ids, never personal data."""

from collections.abc import AsyncIterator
from datetime import date
from secrets import token_hex
from typing import get_args
from uuid import UUID

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs
from tests.integration.http.samples import SAMPLES, Key, address, fill, routes
from tests.integration.http.service import Clinic, Service, bearer, superuser

from coravet.core.kernel.events import CATALOGUE, Audience, SubjectType

CLINIC = "/api/v1/clinics/{clinic}"
CLIENT = f"{CLINIC}/clients/{{client_id}}"
UNDO = f"{CLINIC}/merges/{{merge_id}}/undo"
VISIT = f"{CLINIC}/appointments/{{appointment_id}}"
ENCOUNTER = f"{CLINIC}/encounters/{{encounter_id}}"
WAITS = f"{CLINIC}/waitlist/{{entry_id}}"
OFFER = "/api/v1/portal/offers/{offer_token}"
EMITTED: dict[Key, set[str]] = {
    ("POST", "/api/v1/session"): set(),
    ("DELETE", "/api/v1/session"): {"session.ended"},
    ("POST", "/api/v1/legal/acceptances"): set(),
    ("POST", "/api/v1/clinics"): {"member.invited"},
    ("POST", "/api/v1/invitations/{token}/accept"): {"member.joined"},
    ("PATCH", CLINIC): {"clinic.updated"},
    ("PATCH", f"{CLINIC}/members/{{member_id}}"): set(),
    ("POST", f"{CLINIC}/invitations"): {"member.invited"},
    ("POST", f"{CLINIC}/clients"): {"client.created"},
    ("PATCH", f"{CLINIC}/clients/{{client_id}}"): {"client.updated"},
    ("POST", f"{CLIENT}/deceased"): {"client.updated"},
    ("DELETE", f"{CLIENT}/deceased"): {"client.updated"},
    ("POST", f"{CLIENT}/contacts"): {"client.updated"},
    ("DELETE", f"{CLIENT}/contacts/{{contact_id}}"): {"client.updated"},
    ("POST", f"{CLIENT}/consents"): {"client.updated"},
    ("POST", f"{CLIENT}/merge"): {"client.merged", "client.updated"},
    ("POST", UNDO): {"client.updated"},
    ("POST", f"{CLINIC}/patients"): {"patient.created"},
    ("PATCH", f"{CLINIC}/patients/{{patient_id}}"): {"patient.updated"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/deceased"): {"patient.deceased"},
    ("DELETE", f"{CLINIC}/patients/{{patient_id}}/deceased"): {"patient.revived"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/transfer"): {"patient.transferred"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/parties"): {"patient.updated"},
    ("PATCH", f"{CLINIC}/patients/{{patient_id}}/parties/{{party_id}}"): {"patient.updated"},
    ("DELETE", f"{CLINIC}/patients/{{patient_id}}/parties/{{party_id}}"): {"patient.updated"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/identifiers"): {"patient.updated"},
    ("DELETE", f"{CLINIC}/patients/{{patient_id}}/identifiers/{{identifier_id}}"): {"patient.updated"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/alerts"): {"patient.alert_changed"},
    ("DELETE", f"{CLINIC}/patients/{{patient_id}}/alerts/{{alert_id}}"): {"patient.alert_changed"},
    ("PUT", f"{CLINIC}/clients/{{client_id}}/channels"): {"client.updated"},
    ("POST", f"{CLINIC}/encounters"): {"encounter.opened"},
    ("PATCH", ENCOUNTER): {"encounter.updated"},
    ("POST", f"{ENCOUNTER}/sign"): {"encounter.signed"},
    ("POST", f"{ENCOUNTER}/addenda"): {"encounter.addended"},
    ("POST", f"{ENCOUNTER}/void"): {"encounter.updated"},
    ("POST", f"{CLINIC}/documents/{{document_id}}/withdraw"): set(),
    ("POST", f"{CLINIC}/set-aside-notes/{{note_id}}/dismiss"): {"encounter.updated"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/weights"): {"patient.updated"},
    ("POST", f"{CLINIC}/weights/{{weight_id}}/void"): {"patient.updated"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/problems"): {"problem.changed"},
    ("PATCH", f"{CLINIC}/problems/{{problem_id}}"): {"problem.changed"},
    ("POST", f"{CLINIC}/note-templates"): set(),
    ("PATCH", f"{CLINIC}/note-templates/{{template_id}}"): set(),
    ("POST", f"{CLINIC}/patients/{{patient_id}}/immunizations"): {"immunization.recorded"},
    ("POST", f"{CLINIC}/immunizations/{{immunization_id}}/void"): {"immunization.recorded"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/dewormings"): {"deworming.recorded"},
    ("POST", f"{CLINIC}/dewormings/{{deworming_id}}/void"): {"deworming.recorded"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/prescriptions"): {"prescription.issued"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/prescriptions/check"): set(),
    ("POST", f"{CLINIC}/prescriptions/{{prescription_id}}/void"): {"prescription.issued"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/allergies"): {"patient.alert_changed"},
    ("POST", f"{CLINIC}/allergies/{{allergy_id}}/resolve"): {"patient.alert_changed"},
    ("POST", f"{CLINIC}/allergies/{{allergy_id}}/void"): {"patient.alert_changed"},
    ("PUT", f"{CLINIC}/protocols"): {"clinic.updated"},
    ("PUT", f"{CLINIC}/reminder-rules"): {"clinic.updated"},
    ("POST", f"{CLINIC}/recalls"): set(),
    ("DELETE", f"{CLINIC}/recalls/{{recall_id}}"): set(),
    ("POST", f"{CLINIC}/messages/{{message_id}}/sent"): {"reminder.sent"},
    ("POST", f"{CLINIC}/messages/{{message_id}}/skip"): set(),
    ("POST", "/api/v1/portal/opt-outs/{opt_out_token}"): {"client.updated"},
    ("POST", f"{CLINIC}/appointments"): {"appointment.booked"},
    ("POST", f"{VISIT}/confirm"): {"appointment.confirmed"},
    ("POST", f"{VISIT}/check-in"): {"appointment.checked_in"},
    ("POST", f"{VISIT}/start"): {"appointment.started"},
    ("POST", f"{VISIT}/ready"): {"appointment.ready"},
    ("POST", f"{VISIT}/complete"): {"appointment.completed"},
    ("POST", f"{VISIT}/cancel"): {"appointment.cancelled"},
    ("POST", f"{VISIT}/no-show"): {"appointment.no_show"},
    ("POST", f"{CLINIC}/appointments/walk-in"): {"appointment.booked", "appointment.checked_in"},
    ("POST", f"{VISIT}/back"): {"appointment.confirmed"},
    ("POST", f"{VISIT}/reschedule"): {"appointment.rescheduled"},
    ("POST", f"{VISIT}/reassign"): {"appointment.reassigned"},
    ("POST", f"{CLINIC}/waitlist"): {"waitlist.joined"},
    ("DELETE", WAITS): {"waitlist.left"},
    ("POST", f"{WAITS}/offer"): {"waitlist.offered"},
    ("POST", f"{WAITS}/accept"): {"appointment.booked", "waitlist.left"},
    ("POST", f"{WAITS}/decline"): {"waitlist.joined"},
    ("POST", f"{OFFER}/accept"): {"appointment.booked", "waitlist.left"},
    ("POST", f"{OFFER}/decline"): {"waitlist.joined"},
    ("POST", f"{CLINIC}/services"): {"service.changed"},
    ("PATCH", f"{CLINIC}/services/{{service_id}}"): {"service.changed"},
    ("DELETE", f"{CLINIC}/services/{{service_id}}"): {"service.changed"},
    ("POST", f"{CLINIC}/resources"): {"resource.changed"},
    ("PATCH", f"{CLINIC}/resources/{{resource_id}}"): {"resource.changed"},
    ("DELETE", f"{CLINIC}/resources/{{resource_id}}"): {"resource.changed"},
    ("POST", f"{CLINIC}/resources/{{resource_id}}/calendar"): set(),
    ("DELETE", f"{CLINIC}/resources/{{resource_id}}/calendar"): set(),
    ("PUT", f"{CLINIC}/resources/{{resource_id}}/hours"): {"hours.changed"},
    ("PUT", f"{CLINIC}/resources/{{resource_id}}/exceptions/{{day}}"): {"hours.changed"},
    ("DELETE", f"{CLINIC}/resources/{{resource_id}}/exceptions/{{day}}"): {"hours.changed"},
    ("POST", f"{CLINIC}/closures"): {"closure.changed"},
    ("PATCH", f"{CLINIC}/closures/{{closure_id}}"): {"closure.changed"},
    ("POST", "/api/v1/portal/clinics/{clinic}/holds"): set(),
    ("DELETE", "/api/v1/portal/holds/{hold_token}"): set(),
    ("POST", "/api/v1/portal/clinics/{clinic}/bookings"): {"appointment.requested"},
    ("POST", "/api/v1/portal/bookings/{confirm_token}/confirm"): {"appointment.confirmed"},
    ("POST", "/api/v1/portal/bookings/{reschedule_token}/reschedule"): {"appointment.rescheduled"},
    ("POST", "/api/v1/portal/bookings/{cancel_token}/cancel"): {"appointment.cancelled"},
    ("DELETE", f"{CLINIC}/closures/{{closure_id}}"): {"closure.changed"},
    ("POST", f"{CLINIC}/clients/{{client_id}}/export"): set(),
    ("POST", f"{CLINIC}/privacy/requests"): {"privacy.request_opened"},
    ("PATCH", f"{CLINIC}/privacy/requests/{{request_id}}"): set(),
    ("POST", f"{CLINIC}/clients/{{client_id}}/erase"): {"client.erased"},
    ("PUT", f"{CLINIC}/privacy/retention"): {"clinic.updated"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/photo"): {"patient.photo_changed"},
    ("DELETE", f"{CLINIC}/patients/{{patient_id}}/photo"): {"patient.photo_changed"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/attachments"): {"attachment.added"},
    ("POST", f"{CLINIC}/media/{{media_id}}/void"): {"attachment.added"},
    ("POST", f"{CLINIC}/patients/{{patient_id}}/uploads"): set(),
    ("PUT", f"{CLINIC}/media/{{media_id}}/bytes"): {"patient.photo_changed"},
    ("POST", f"{CLINIC}/media/{{media_id}}/arrived"): set(),
    ("POST", f"{CLINIC}/media/{{media_id}}/retry"): set(),
    ("POST", f"{CLINIC}/imports"): set(),
    ("PUT", f"{CLINIC}/imports/{{import_id}}/file"): set(),
    ("POST", f"{CLINIC}/imports/{{import_id}}/apply"): set(),
    ("DELETE", f"{CLINIC}/imports/{{import_id}}"): set(),
}
"""What each request that changes something tells. Signing in changes nothing in a clinic, and neither does a vet's
registration number, which nobody sees live."""

SUBJECTS: dict[Key, str] = {
    ("PUT", f"{CLINIC}/reminder-rules"): "clinic_id",
    ("POST", f"{CLINIC}/patients/{{patient_id}}/parties"): "patient_id",
    ("PATCH", f"{CLINIC}/patients/{{patient_id}}/parties/{{party_id}}"): "patient_id",
    ("POST", f"{CLINIC}/patients/{{patient_id}}/identifiers"): "patient_id",
    ("POST", f"{CLINIC}/patients/{{patient_id}}/alerts"): "patient_id",
    ("PUT", f"{CLINIC}/protocols"): "clinic_id",
    ("POST", f"{CLINIC}/patients/{{patient_id}}/allergies"): "patient_id",
    ("POST", f"{CLINIC}/allergies/{{allergy_id}}/resolve"): "patient_id",
    ("POST", f"{CLINIC}/allergies/{{allergy_id}}/void"): "patient_id",
    ("POST", f"{CLINIC}/patients/{{patient_id}}/weights"): "patient_id",
    ("POST", f"{CLINIC}/patients/{{patient_id}}/photo"): "patient_id",
    ("PUT", f"{CLINIC}/media/{{media_id}}/bytes"): "patient_id",
    ("POST", f"{CLIENT}/contacts"): "client_id",
    ("POST", f"{CLIENT}/erase"): "client_id",
    ("PUT", f"{CLINIC}/privacy/retention"): "clinic_id",
    ("POST", f"{CLIENT}/consents"): "client_id",
    ("POST", "/api/v1/portal/opt-outs/{opt_out_token}"): "client_id",
    ("POST", f"{OFFER}/decline"): "entry_id",
    ("POST", "/api/v1/portal/bookings/{confirm_token}/confirm"): "appointment_id",
    ("POST", "/api/v1/portal/bookings/{reschedule_token}/reschedule"): "appointment_id",
    ("POST", "/api/v1/portal/bookings/{cancel_token}/cancel"): "appointment_id",
}
"""Whose event it is, where the answer has another's id or, of a resource's, none."""

COLUMNS = {
    "clinic_id": "uuid",
    "id": "uuid",
    "kind": "text",
    "audience": "text",
    "person_id": "uuid",
    "subject_type": "text",
    "subject_id": "uuid",
    "subject_version": "integer",
    "actor_user_id": "uuid",
    "at": "timestamp with time zone",
    "number": "bigint",
}
"""All of an event. Its texts are words of the catalogue; nothing that a person typed finds room."""


@pytest.fixture(scope="module")
async def admin(service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A look at every clinic's events."""
    async with superuser(service.settings) as connection:
        yield connection


@pytest.fixture(scope="module")
async def clinic(service: Service) -> Clinic:
    """A clinic whose every change is watched."""
    return await service.full_clinic("vigilada")


async def _ids(admin: asyncpg.Connection) -> set[UUID]:
    return {row["id"] for row in await admin.fetch("SELECT id FROM outbox")}


async def _since(admin: asyncpg.Connection, before: set[UUID]) -> list[asyncpg.Record]:
    return [row for row in await admin.fetch("SELECT * FROM outbox ORDER BY id") if row["id"] not in before]


def test_every_change(service: Service) -> None:
    """The table has a line for every route that changes something, and every kind of event has its request."""
    changing = {key for key in routes(service.application.litestar) if key[0] not in {"GET", "HEAD"}}
    assert set(EMITTED) == changing
    by_members = {"member.roles_changed", "member.deactivated"}
    by_jobs = {"stream.resync", "reminder.due", "privacy.request_due", "media.failed"}
    by_operators = {"legal.acceptance_required"}
    by_last_steps = {"privacy.request_closed"}
    assert set().union(*EMITTED.values()) | by_members | by_jobs | by_operators | by_last_steps == set(CATALOGUE)


async def _make_ready(service: Service, clinic: Clinic, admin: asyncpg.Connection, key: Key) -> None:
    """Bring the clinic into the state from which the request succeeds."""
    sample = SAMPLES[key]
    for table in ("services", "resources"):
        await admin.execute(f"UPDATE {table} SET active = true WHERE clinic_id = $1", clinic.id)  # noqa: S608 -- one of two names
    deceased = date(2026, 1, 2) if key[0] == "DELETE" else None
    await admin.execute("UPDATE patients SET deceased_on = $2 WHERE id = $1", UUID(clinic.ids["patient_id"]), deceased)
    await admin.execute("UPDATE clients SET deceased_on = $2 WHERE id = $1", UUID(clinic.ids["client_id"]), deceased)
    await admin.execute("UPDATE messages SET status = 'waiting', sent_at = NULL WHERE clinic_id = $1", clinic.id)
    await admin.execute("UPDATE recalls SET closed_at = NULL WHERE clinic_id = $1", clinic.id)
    if sample.status:
        await admin.execute(
            "UPDATE appointments SET status = $2 WHERE id = $1", clinic.ids["appointment_id"], sample.status
        )
    if sample.waits:
        await service.put_waiting(clinic, sample.waits)
    if sample.anew:
        await service.plant(clinic, sample.anew)


@pytest.mark.parametrize("key", EMITTED, ids=" ".join)
async def test_emitted(key: Key, service: Service, clinic: Clinic, admin: asyncpg.Connection) -> None:
    """Each change raises its event once, with the subject's id and version, by the person who made it."""
    sample = SAMPLES[key]
    who = clinic.people[sample.who]
    match key:
        case ("POST", "/api/v1/clinics"):
            who = await service.operator()
        case ("DELETE", "/api/v1/session"):
            who = await service.join(clinic, "staff")
        case ("POST", "/api/v1/invitations/{token}/accept"):
            person = await service.people.create("vet")
            who = bearer(await service.people.sign_in(person))
            offer = {"email": person.email, "roles": ["vet"]}
            made = await service.done("POST", f"/clinics/{clinic.slug}/invitations", clinic.owner, json=offer)
            clinic.ids["token"] = made["token"]
    await _make_ready(service, clinic, admin, key)
    actor = (await service.done("GET", "/session", who))["user"]["id"]
    ids = {
        **sample.ids(clinic.ids),
        "clinic_id": clinic.id,
        "slot": clinic.slot(),
        "id_token": clinic.owner["Authorization"].removeprefix("Bearer "),
        "new_slug": f"nueva-{token_hex(4)}",
        "new_email": "nueva@correo.test",
    }
    before = await _ids(admin)
    answer = await service.client.request(key[0], address(key[1], ids), headers=who, **sample.sent(ids))
    assert answer.is_success, answer.text
    events = await _since(admin, before)
    assert {event["kind"] for event in events} == EMITTED[key]
    assert len(events) == (2 if key == ("POST", UNDO) else len(EMITTED[key]))  # it is two clients again
    for event in events:
        assert event["actor_user_id"] == (None if "/portal/" in key[1] else UUID(actor))
        body = answer.json() if answer.content else {}
        subject = body.get("invitation") or body
        if len(events) > 1:  # a visit's, and of whoever waited for it; or of both clients of a merge
            assert str(event["subject_id"]) == ids["entry_id"] or event["subject_type"] in {"appointment", "client"}
        elif event["kind"] != "session.ended" and answer.content:
            named = ids[SUBJECTS[key]] if key in SUBJECTS else subject.get("id", ids["resource_id"])
            assert str(event["subject_id"]) == named
            assert event["subject_version"] == subject.get("version", event["subject_version"])


async def test_members(service: Service, admin: asyncpg.Connection) -> None:
    """A member's roles, leaving and coming back are told each by its own event."""
    clinic = await service.open_clinic()
    await service.join(clinic, "staff")
    at = f"/clinics/{clinic.slug}/members/{clinic.ids['staff_member_id']}"
    for change, kind in (
        ({"roles": ["vet"]}, "member.roles_changed"),
        ({"active": False}, "member.deactivated"),
        ({"active": True}, "member.joined"),
    ):
        before = await _ids(admin)
        await service.done("PATCH", at, clinic.owner, json=change)
        [event] = await _since(admin, before)
        assert event["kind"] == kind
        assert str(event["subject_id"]) == clinic.ids["staff_member_id"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "clients", {"given_name": " ", "family_name": "Pérez"}),
        ("PATCH", "clients/{client_id}", {"version": 99, "given_name": "Eva"}),
        ("POST", "appointments/{appointment_id}/complete", None),
        ("POST", "services", {"name": "X", "duration_minutes": 30, "resource_ids": ["{patient_id}"]}),
    ],
)
async def test_refused(
    method: str, path: str, body: object, service: Service, clinic: Clinic, admin: asyncpg.Connection
) -> None:
    """What is refused tells nothing."""
    before = await _ids(admin)
    await admin.execute("UPDATE appointments SET status = 'confirmed' WHERE id = $1", clinic.ids["appointment_id"])
    at = address(f"/clinics/{clinic.slug}/{path}", clinic.ids)
    answer = await service.ask(method, at, clinic.owner, json=fill(body, clinic.ids))
    assert 400 <= answer.status_code < 500
    assert await _since(admin, before) == []


@pytest.mark.parametrize("failing", ["clients", "outbox"])
async def test_one_transaction(failing: str, service: Service, clinic: Clinic, admin: asyncpg.Connection) -> None:
    """A commit that fails, over the change or over its event, leaves neither, and is not answered with success."""
    await admin.execute(
        "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'planned'; END $$;"
        f" CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON {failing} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION fails()"
    )
    at, name = f"/clinics/{clinic.slug}/clients", f"Ana {token_hex(4)}"
    person, key = {"given_name": name, "family_name": "Pérez"}, {"Idempotency-Key": token_hex(8)}
    found = "SELECT count(*) FROM clients WHERE given_name = $1"
    try:
        before = await _ids(admin)
        with capture_logs():  # writing the fault's stack takes longer than all else here
            answer = await service.ask("POST", at, clinic.owner, json=person, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert await _since(admin, before) == []
        assert await admin.fetchval(found, name) == 0
    finally:
        await admin.execute("DROP FUNCTION fails() CASCADE")
    again: httpx.Response = await service.ask("POST", at, clinic.owner, json=person, headers=key)
    assert again.status_code == 201
    assert await admin.fetchval(found, name) == 1
    assert [event["kind"] for event in await _since(admin, before)] == ["client.created"]


async def test_nothing_personal(admin: asyncpg.Connection) -> None:
    """After all of this the outbox holds ids, numbers, instants and words of the catalogue: nothing that was typed."""
    columns = await admin.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'outbox'"
    )
    assert {row["column_name"]: row["data_type"] for row in columns} == COLUMNS
    words = await admin.fetch("SELECT DISTINCT kind, audience, subject_type FROM outbox")
    assert len(words) > 10
    for row in words:
        kind = CATALOGUE[row["kind"]]
        assert (row["audience"], row["subject_type"]) == (kind.audience, kind.subject_type)
        assert row["audience"] in get_args(Audience)
        assert row["subject_type"] in get_args(SubjectType)
