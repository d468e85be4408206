"""Who may do what: one table of every route and everybody, read against the application as it runs."""

from collections.abc import AsyncIterator
from datetime import date
from hashlib import sha256
from secrets import token_hex

import asyncpg
import pytest
from tests.integration.http.samples import SAMPLES, Key, address, routes
from tests.integration.http.service import Clinic, Headers, Service, bearer, superuser

TABLE = """
                                                                   anonymous stranger staff  vet manager owner operator
GET    /health/live                                                      200      200   200  200     200   200      200
GET    /health/ready                                                     200      200   200  200     200   200      200
GET    /docs                                                             200      200   200  200     200   200      200
GET    /api/v1/openapi.json                                              200      200   200  200     200   200      200
GET    /api/v1/health/live                                               200      200   200  200     200   200      200
GET    /api/v1/health/ready                                              200      200   200  200     200   200      200
POST   /api/v1/session                                                   201      201   201  201     201   201      201
GET    /api/v1/session                                                   401      200   200  200     200   200      200
DELETE /api/v1/session                                                   401      204   204  204     204   204      204
GET    /api/v1/legal/documents                                           200      200   200  200     200   200      200
GET    /api/v1/legal/documents/{slug}/{file_name}                        200      200   200  200     200   200      200
POST   /api/v1/legal/acceptances                                         401      201   201  201     201   201      201
GET    /api/v1/legal/acceptances                                         401      200   200  200     200   200      200
GET    /api/v1/legal/acceptances/{acceptance_id}                         401      404   404  404     404   200      404
GET    /api/v1/clinics                                                   401      200   200  200     200   200      200
POST   /api/v1/clinics                                                   401      403   403  403     403   403      201
POST   /api/v1/invitations/{token}/accept                                401      200   200  200     200   200      200
GET    /api/v1/clinics/{clinic}                                          401      404   200  200     200   200      404
PATCH  /api/v1/clinics/{clinic}                                          401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/members                                  401      404   403  403     200   200      404
PATCH  /api/v1/clinics/{clinic}/members/{member_id}                      401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/invitations                              401      404   403  403     200   200      404
POST   /api/v1/clinics/{clinic}/invitations                              401      404   403  403     201   201      404
GET    /api/v1/clinics/{clinic}/clients                                  401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/clients                                  401      404   201  201     201   201      404
GET    /api/v1/clinics/{clinic}/clients/{client_id}                      401      404   200  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/clients/{client_id}                      401      404   200  200     200   200      404
GET    /api/v1/cantons                                                   200      200   200  200     200   200      200
POST   /api/v1/clinics/{clinic}/clients/{client_id}/deceased             401      404   200  200     200   200      404
DELETE /api/v1/clinics/{clinic}/clients/{client_id}/deceased             401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/clients/{client_id}/contacts             401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/clients/{client_id}/contacts             401      404   201  201     201   201      404
DELETE /api/v1/clinics/{clinic}/clients/{client_id}/contacts/{contact_id} 401      404   204  204     204   204      404
GET    /api/v1/clinics/{clinic}/clients/{client_id}/consents             401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/clients/{client_id}/consents             401      404   201  201     201   201      404
GET    /api/v1/clinics/{clinic}/clients/duplicates                       401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/clients/{client_id}/duplicates           401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/clients/{client_id}/merge                401      404   201  201     201   201      404
GET    /api/v1/clinics/{clinic}/merges                                   401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/merges/{merge_id}/undo                   401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/patients                                 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients                                 401      404   201  201     201   201      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}                    401      404   200  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/patients/{patient_id}                    401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/deceased           401      404   200  200     200   200      404
DELETE /api/v1/clinics/{clinic}/patients/{patient_id}/deceased           401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/deceased           401      404   200  200     200   200      404
GET    /api/v1/breeds                                                    200      200   200  200     200   200      200
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/transfer           401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/parties            401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/parties            401      404   201  201     201   201      404
PATCH  /api/v1/clinics/{clinic}/patients/{patient_id}/parties/{party_id} 401      404   200  200     200   200      404
DELETE /api/v1/clinics/{clinic}/patients/{patient_id}/parties/{party_id} 401      404   204  204     204   204      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/identifiers        401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/identifiers        401      404   201  201     201   201      404
DELETE /api/v1/clinics/{clinic}/patients/{patient_id}/identifiers/{identifier_id} 401  404  204  204  204  204  404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/alerts             401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/alerts             401      404   201  201     201   201      404
DELETE /api/v1/clinics/{clinic}/patients/{patient_id}/alerts/{alert_id}  401      404   204  204     204   204      404
GET    /api/v1/clinics/{clinic}/search                                   401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/clients/{client_id}/channels             401      404   200  200     200   200      404
PUT    /api/v1/clinics/{clinic}/clients/{client_id}/channels             401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/encounters                               401      404   403  201     403   403      404
GET    /api/v1/clinics/{clinic}/encounters                               401      404   403  200     200   200      404
GET    /api/v1/clinics/{clinic}/encounters/{encounter_id}                401      404   403  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/encounters/{encounter_id}                401      404   403  200     403   403      404
POST   /api/v1/clinics/{clinic}/encounters/{encounter_id}/sign           401      404   403  200     403   403      404
POST   /api/v1/clinics/{clinic}/encounters/{encounter_id}/addenda        401      404   403  201     403   403      404
POST   /api/v1/clinics/{clinic}/encounters/{encounter_id}/void           401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/immunization-card.pdf 401  404  200  200  200  200  404
GET    /api/v1/clinics/{clinic}/prescriptions/{prescription_id}/sheet.pdf 401      404   403  200     200   200      404
GET    /api/v1/clinics/{clinic}/encounters/{encounter_id}/summary.pdf    401      404   403  200     200   200      404
GET    /api/v1/clinics/{clinic}/documents                                401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/documents/{document_id}/withdraw         401      404   403  200     403   403      404
GET    /api/v1/portal/documents/{document_token}                         200      200   200  200     200   200      200
GET    /portal/documents/{document_token}                                200      200   200  200     200   200      200
POST   /api/v1/clinics/{clinic}/set-aside-notes/{note_id}/dismiss        401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/timeline           401      404   403  200     200   200      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/weights            401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/weights            401      404   201  201     201   201      404
POST   /api/v1/clinics/{clinic}/weights/{weight_id}/void                 401      404   403  204     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/problems           401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/problems           401      404   403  201     403   403      404
GET    /api/v1/clinics/{clinic}/problems/{problem_id}                    401      404   403  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/problems/{problem_id}                    401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/note-templates                           401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/note-templates                           401      404   403  201     403   403      404
PATCH  /api/v1/clinics/{clinic}/note-templates/{template_id}             401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/immunizations      401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/immunizations      401      404   403  201     403   403      404
GET    /api/v1/clinics/{clinic}/immunizations/{immunization_id}          401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/immunizations/{immunization_id}/void     401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/dewormings         401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/dewormings         401      404   403  201     403   403      404
GET    /api/v1/clinics/{clinic}/dewormings/{deworming_id}                401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/dewormings/{deworming_id}/void           401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/prescriptions      401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/prescriptions      401      404   403  201     403   403      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/prescriptions/check 401     404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/prescriptions/{prescription_id}          401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/prescriptions/{prescription_id}/void     401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/allergies          401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/allergies          401      404   403  201     403   403      404
POST   /api/v1/clinics/{clinic}/allergies/{allergy_id}/resolve           401      404   403  200     403   403      404
POST   /api/v1/clinics/{clinic}/allergies/{allergy_id}/void              401      404   403  200     403   403      404
GET    /api/v1/clinics/{clinic}/protocols                                401      404   200  200     200   200      404
PUT    /api/v1/clinics/{clinic}/protocols                                401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/reminder-rules                           401      404   200  200     200   200      404
PUT    /api/v1/clinics/{clinic}/reminder-rules                           401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/recalls                                  401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/recalls                                  401      404   201  201     201   201      404
DELETE /api/v1/clinics/{clinic}/recalls/{recall_id}                      401      404   204  204     204   204      404
GET    /api/v1/clinics/{clinic}/messages                                 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/messages/{message_id}/sent               401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/messages/{message_id}/skip               401      404   200  200     200   200      404
GET    /api/v1/portal/opt-outs/{opt_out_token}                           200      200   200  200     200   200      200
POST   /api/v1/portal/opt-outs/{opt_out_token}                           200      200   200  200     200   200      200
GET    /api/v1/portal/clinics/{clinic}/services                          200      200   200  200     200   200      200
GET    /api/v1/portal/clinics/{clinic}/availability                      200      200   200  200     200   200      200
POST   /api/v1/portal/clinics/{clinic}/holds                             201      201   201  201     201   201      201
DELETE /api/v1/portal/holds/{hold_token}                                 204      204   204  204     204   204      204
POST   /api/v1/portal/clinics/{clinic}/bookings                          201      201   201  201     201   201      201
GET    /api/v1/portal/bookings/{see_token}                               200      200   200  200     200   200      200
POST   /api/v1/portal/bookings/{confirm_token}/confirm                   200      200   200  200     200   200      200
POST   /api/v1/portal/bookings/{reschedule_token}/reschedule             200      200   200  200     200   200      200
POST   /api/v1/portal/bookings/{cancel_token}/cancel                     200      200   200  200     200   200      200
GET    /api/v1/clinics/{clinic}/agenda                                   401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/events                                   401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/availability                             401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/appointments                             401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/board                                    401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments                             401      404   201  201     201   201      404
POST   /api/v1/clinics/{clinic}/appointments/walk-in                     401      404   201  201     201   201      404
GET    /api/v1/clinics/{clinic}/appointments/{appointment_id}            401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/confirm    401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/check-in   401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/start      401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/ready      401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/complete   401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/cancel     401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/no-show    401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/back       401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/reschedule 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/appointments/{appointment_id}/reassign   401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/appointments/{appointment_id}/history    401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/waitlist                                 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/waitlist                                 401      404   201  201     201   201      404
DELETE /api/v1/clinics/{clinic}/waitlist/{entry_id}                      401      404   204  204     204   204      404
POST   /api/v1/clinics/{clinic}/waitlist/{entry_id}/offer                401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/waitlist/{entry_id}/accept               401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/waitlist/{entry_id}/decline              401      404   200  200     200   200      404
GET    /api/v1/portal/offers/{offer_token}                               200      200   200  200     200   200      200
POST   /api/v1/portal/offers/{offer_token}/accept                        200      200   200  200     200   200      200
POST   /api/v1/portal/offers/{offer_token}/decline                       200      200   200  200     200   200      200
GET    /api/v1/clinics/{clinic}/services                                 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/services                                 401      404   403  403     201   201      404
GET    /api/v1/clinics/{clinic}/services/{service_id}                    401      404   200  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/services/{service_id}                    401      404   403  403     200   200      404
DELETE /api/v1/clinics/{clinic}/services/{service_id}                    401      404   403  403     204   204      404
GET    /api/v1/clinics/{clinic}/resources                                401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/resources                                401      404   403  403     201   201      404
GET    /api/v1/clinics/{clinic}/resources/{resource_id}                  401      404   200  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/resources/{resource_id}                  401      404   403  403     200   200      404
DELETE /api/v1/clinics/{clinic}/resources/{resource_id}                  401      404   403  403     204   204      404
GET    /api/v1/clinics/{clinic}/holidays                                 401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/calendars/{calendar}                     200      200   200  200     200   200      200
POST   /api/v1/clinics/{clinic}/resources/{resource_id}/calendar         401      404   403  403     201   201      404
DELETE /api/v1/clinics/{clinic}/resources/{resource_id}/calendar         401      404   403  403     204   204      404
GET    /api/v1/clinics/{clinic}/resources/{resource_id}/hours            401      404   200  200     200   200      404
PUT    /api/v1/clinics/{clinic}/resources/{resource_id}/hours            401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/resources/{resource_id}/exceptions       401      404   200  200     200   200      404
PUT    /api/v1/clinics/{clinic}/resources/{resource_id}/exceptions/{day} 401      404   403  403     200   200      404
DELETE /api/v1/clinics/{clinic}/resources/{resource_id}/exceptions/{day} 401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/closures                                 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/closures                                 401      404   403  403     201   201      404
GET    /api/v1/clinics/{clinic}/closures/{closure_id}                    401      404   200  200     200   200      404
PATCH  /api/v1/clinics/{clinic}/closures/{closure_id}                    401      404   403  403     200   200      404
DELETE /api/v1/clinics/{clinic}/closures/{closure_id}                    401      404   403  403     204   204      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/photo              401      404   201  201     201   201      404
DELETE /api/v1/clinics/{clinic}/patients/{patient_id}/photo              401      404   204  204     204   204      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/attachments        401      404   403  201     403   403      404
GET    /api/v1/clinics/{clinic}/patients/{patient_id}/attachments        401      404   403  200     200   200      404
POST   /api/v1/clinics/{clinic}/media/{media_id}/void                    401      404   403  200     403   403      404
POST   /api/v1/clinics/{clinic}/patients/{patient_id}/uploads            401      404   201  201     201   201      404
PUT    /api/v1/clinics/{clinic}/media/{media_id}/bytes                   401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/media/{media_id}/arrived                 401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/media/{media_id}/retry                   401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/media/{media_id}                         401      404   200  200     200   200      404
GET    /api/v1/clinics/{clinic}/media/{media_id}/{variant}               401      404   200  200     200   200      404
POST   /api/v1/clinics/{clinic}/imports                                 401      404   403  403     201   201      404
PUT    /api/v1/clinics/{clinic}/imports/{import_id}/file                401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/imports                                 401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/imports/{import_id}                     401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/imports/{import_id}/rows                401      404   403  403     200   200      404
POST   /api/v1/clinics/{clinic}/imports/{import_id}/apply               401      404   403  403     200   200      404
DELETE /api/v1/clinics/{clinic}/imports/{import_id}                     401      404   403  403     204   204      404
POST   /api/v1/clinics/{clinic}/clients/{client_id}/export               401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/privacy/requests                         401      404   403  403     200   200      404
POST   /api/v1/clinics/{clinic}/privacy/requests                         401      404   403  403     201   201      404
GET    /api/v1/clinics/{clinic}/privacy/requests/{request_id}            401      404   403  403     200   200      404
PATCH  /api/v1/clinics/{clinic}/privacy/requests/{request_id}            401      404   403  403     200   200      404
POST   /api/v1/clinics/{clinic}/clients/{client_id}/erase               401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/privacy/erasures                         401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/privacy/erasures/{erasure_id}            401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/privacy/retention                        401      404   403  403     200   200      404
PUT    /api/v1/clinics/{clinic}/privacy/retention                        401      404   403  403     200   200      404
GET    /api/v1/clinics/{clinic}/export                                   401      404   403  403     200   200      404
"""
_HEAD, *_LINES = TABLE.strip("\n").splitlines()
EVERYBODY = _HEAD.split()
EXPECTED: dict[Key, dict[str, int]] = {
    (line.split()[0], line.split()[1]): dict(zip(EVERYBODY, map(int, line.split()[2:]), strict=True)) for line in _LINES
}


@pytest.fixture(scope="module")
async def everybody(service: Service, clinic: Clinic) -> dict[str, Headers]:
    """The headers of everybody in the table."""
    return {
        "anonymous": {},
        "stranger": await service.stranger(),
        **clinic.people,
        "operator": await service.operator(),
    }


@pytest.fixture(scope="module")
async def admin(service: Service) -> AsyncIterator[asyncpg.Connection]:
    """A connection that puts back what a permitted request changed."""
    async with superuser(service.settings) as connection:
        yield connection


@pytest.fixture(scope="module")
async def invited(service: Service, everybody: dict[str, Headers]) -> dict[str, str]:
    """Everybody's invitation to another clinic."""
    elsewhere = await service.open_clinic()
    tokens = {"anonymous": "unknown"}
    for name, who in everybody.items():
        if who:
            email = (await service.done("GET", "/session", who))["user"]["email"]
            offer = {"email": email, "roles": ["staff"]}
            made = await service.done("POST", f"/clinics/{elsewhere.slug}/invitations", elsewhere.owner, json=offer)
            tokens[name] = made["token"]
    return tokens


async def _put_back(admin: asyncpg.Connection, clinic: Clinic, who: Headers, status: str | None) -> None:
    token = who.get("Authorization", "").removeprefix("Bearer ")
    await admin.execute("DELETE FROM ended_sessions WHERE token_hash = $1", sha256(token.encode()).digest())
    await admin.execute("UPDATE services SET active = true WHERE clinic_id = $1", clinic.id)
    await admin.execute("UPDATE resources SET active = true, member_id = NULL WHERE clinic_id = $1", clinic.id)
    await admin.execute("UPDATE patients SET deceased_on = NULL WHERE clinic_id = $1", clinic.id)
    await admin.execute("UPDATE recalls SET closed_at = NULL WHERE clinic_id = $1", clinic.id)
    await admin.execute("UPDATE messages SET status = 'waiting', sent_at = NULL WHERE clinic_id = $1", clinic.id)
    await admin.execute(
        "INSERT INTO exceptions (clinic_id, resource_id, day, opens, closes) VALUES ($1, $2, $3, '{}', '{}')"
        " ON CONFLICT DO NOTHING",
        clinic.id,
        clinic.ids["resource_id"],
        date.fromisoformat(clinic.ids["day"]),
    )
    await admin.execute(
        "INSERT INTO closures (clinic_id, id, starts_on, ends_on, holiday, version)"
        " VALUES ($1, $2, '2031-01-01', '2031-01-01', true, 1) ON CONFLICT DO NOTHING",
        clinic.id,
        clinic.ids["closure_id"],
    )
    await admin.execute(
        "UPDATE appointments SET status = $2 WHERE id = $1", clinic.ids["appointment_id"], status or "confirmed"
    )


def test_every_route(service: Service) -> None:
    """The table and the samples have a line for every route, and no line without one."""
    real = routes(service.application.litestar)
    assert set(EXPECTED) == real
    assert set(SAMPLES) == real


@pytest.mark.parametrize("key", EXPECTED, ids=" ".join)
async def test_permissions(
    key: Key,
    service: Service,
    clinic: Clinic,
    everybody: dict[str, Headers],
    invited: dict[str, str],
    admin: asyncpg.Connection,
) -> None:
    """Each of everybody meets the status that the table states, with a request that is otherwise good."""
    method, path = key
    found = {}
    for name in EVERYBODY:
        sample, who = SAMPLES[key], everybody[name]
        await _put_back(admin, clinic, who, sample.status)
        if sample.waits:
            await service.put_waiting(clinic, sample.waits)
        if sample.anew:
            await service.plant(clinic, sample.anew)
        ids = {
            **sample.ids(clinic.ids),
            "slot": clinic.slot(),
            "token": invited[name],
            "id_token": clinic.owner["Authorization"].removeprefix(bearer("")["Authorization"]),
            "new_slug": f"nueva-{token_hex(4)}",
            "new_email": f"nueva-{token_hex(4)}@correo.test",
        }
        answer = await service.client.request(method, address(path, ids), headers=who, **sample.sent(ids))
        found[name] = answer.status_code
    await _put_back(admin, clinic, everybody["owner"], None)
    assert found == EXPECTED[key]
