"""A valid request for every route, with the ids of a clinic in it; what walks all routes takes them from here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import HttpMethod, Litestar
from litestar.routes import HTTPRoute
from tests.integration.parts.texts import shown

Key = tuple[str, str]
"""A method and an address as the application has it, such as `("GET", "/api/v1/clinics/{clinic}")`."""


@dataclass(frozen=True)
class Sample:
    """Query and body of a request; a text of the form `{name}` stands for an id.

    Attributes:
        status: what the visit of the address must be for the request to succeed.
        waits: what whoever waits must be, `waiting` or `offered`.
        who: the role of a member who may; owners may all but write records.
        content: the body itself, where it is no JSON.
        anew: what `Service.plant` must make for each request, since the one before settled or spent it.
        at: ids that stand for others, where what was planted belongs to something of its own.
    """

    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    waits: str | None = None
    who: str = "owner"
    anew: str | None = None
    at: Mapping[str, str] = field(default_factory=dict)

    def ids(self, ids: Mapping[str, str]) -> dict[str, str]:
        """A clinic's ids as the request takes them."""
        return {**ids, **{name: ids[other] for name, other in self.at.items()}}

    content: str | None = None

    def sent(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """What httpx is to send."""
        body = {"json": fill(self.body, ids)} if self.content is None else {"content": fill(self.content, ids)}
        return {**body, "params": fill(self.query, ids)}

    def names(self, path: str) -> set[str]:
        """The ids that the request names, in its address, query or body."""
        return set(_names([path.split("/"), self.query, self.body]))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("{"):
        yield value.strip("{}")
    elif isinstance(value, Mapping):
        yield from _names(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def fill(value: Any, ids: Mapping[str, Any]) -> Any:
    """The value with every `{name}` replaced."""
    match value:
        case str() if value.startswith("{"):
            return ids[value.strip("{}")]
        case Mapping():
            return {key: fill(item, ids) for key, item in value.items()}
        case list():
            return [fill(item, ids) for item in value]
    return value


def address(path: str, ids: Mapping[str, Any]) -> str:
    """The address with every `{name}` replaced."""
    return "/".join(str(fill(part, ids)) for part in path.split("/"))


def routes(app: Litestar) -> set[Key]:
    """Every method and address that the application answers, Litestar's OPTIONS apart."""
    return {
        (str(method), route.path_format)
        for route in app.routes
        for handler in (route.route_handlers if isinstance(route, HTTPRoute) else [route.route_handler])
        for method in getattr(handler, "http_methods", {"ASGI"})
        if method != HttpMethod.OPTIONS
    }


_CLINIC = "/api/v1/clinics/{clinic}"
_PORTAL = "/api/v1/portal/clinics/{clinic}"
_CLIENT = f"{_CLINIC}/clients/{{client_id}}"
_VISIT = f"{_CLINIC}/appointments/{{appointment_id}}"
_HOURS = {"spans": [{"weekday": day, "opens": "00:00", "closes": "00:00"} for day in range(1, 8)]}
_EXCEPTION = f"{_CLINIC}/resources/{{resource_id}}/exceptions/{{day}}"
_ENCOUNTER = f"{_CLINIC}/encounters/{{encounter_id}}"
_CLOSURE = f"{_CLINIC}/closures/{{closure_id}}"
_REMINDERS = {
    "rules": [{"kind": "visit_reminder", "channel": "whatsapp", "minutes_before": 1440}],
    "quiet_hours": {"begins": "20:00", "ends": "07:00"},
}
_WAITLIST = f"{_CLINIC}/waitlist"
_OFFER = "/api/v1/portal/offers/{offer_token}"
_IMPORT = f"{_CLINIC}/imports/{{import_id}}"
_RIGHTS_REQUEST = f"{_CLINIC}/privacy/requests/{{request_id}}"
_NOTHING = Sample()
_SPARE = {"patient_id": "spare_patient_id"}
_KEPT = {"category": "identity", "basis": "Reclamos del contrato, por ejemplo.", "months": 12, "provisional": False}
_VOID = {"reason": "de otro paciente"}

SAMPLES: dict[Key, Sample] = {
    ("GET", "/health/live"): _NOTHING,
    ("GET", "/health/ready"): _NOTHING,
    ("GET", "/docs"): _NOTHING,
    ("GET", "/api/v1/openapi.json"): _NOTHING,
    ("GET", "/api/v1/health/live"): _NOTHING,
    ("GET", "/api/v1/health/ready"): _NOTHING,
    ("POST", "/api/v1/session"): Sample({"id_token": "{id_token}"}),
    ("GET", "/api/v1/session"): _NOTHING,
    ("DELETE", "/api/v1/session"): _NOTHING,
    ("GET", "/api/v1/legal/documents"): _NOTHING,
    ("GET", "/api/v1/legal/documents/{slug}/{file_name}"): _NOTHING,
    ("POST", "/api/v1/legal/acceptances"): Sample({**shown("consent-photos"), "decision": "accepted"}),
    ("GET", "/api/v1/legal/acceptances"): _NOTHING,
    ("GET", "/api/v1/legal/acceptances/{acceptance_id}"): _NOTHING,
    ("GET", "/api/v1/clinics"): _NOTHING,
    ("POST", "/api/v1/clinics"): Sample({"slug": "{new_slug}", "name": "Clínica", "owner_email": "{new_email}"}),
    ("POST", "/api/v1/invitations/{token}/accept"): _NOTHING,
    ("GET", _CLINIC): _NOTHING,
    ("PATCH", _CLINIC): Sample({"name": "Clínica La Paz"}),
    ("GET", f"{_CLINIC}/members"): _NOTHING,
    ("PATCH", f"{_CLINIC}/members/{{member_id}}"): Sample({"registration_number": "1006-2019"}),
    ("GET", f"{_CLINIC}/invitations"): _NOTHING,
    ("POST", f"{_CLINIC}/invitations"): Sample({"email": "{new_email}", "roles": ["vet"]}),
    ("GET", f"{_CLINIC}/clients"): _NOTHING,
    ("POST", f"{_CLINIC}/clients"): Sample({"given_name": "Ana", "family_name": "Pérez", "phone": "0991234567"}),
    ("GET", f"{_CLINIC}/clients/{{client_id}}"): _NOTHING,
    ("PATCH", f"{_CLINIC}/clients/{{client_id}}"): Sample({"email": "ana@correo.test"}),
    ("GET", "/api/v1/cantons"): _NOTHING,
    ("POST", f"{_CLIENT}/deceased"): Sample({"on": "2026-01-02"}),
    ("DELETE", f"{_CLIENT}/deceased"): _NOTHING,
    ("GET", f"{_CLIENT}/contacts"): _NOTHING,
    ("POST", f"{_CLIENT}/contacts"): Sample({"kind": "email", "value": "{new_email}", "label": "trabajo"}),
    ("DELETE", f"{_CLIENT}/contacts/{{contact_id}}"): Sample(anew="contact"),
    ("GET", f"{_CLIENT}/consents"): Sample(query={"current": "true"}),
    ("POST", f"{_CLIENT}/consents"): Sample({"purpose": "photos", "decision": "withdrawn", "source": "phone"}),
    ("GET", f"{_CLINIC}/clients/duplicates"): Sample(query={"given_name": "Soila", "family_name": "Quimbiurco"}),
    ("GET", f"{_CLIENT}/duplicates"): _NOTHING,
    ("POST", f"{_CLIENT}/merge"): Sample({"merged_id": "{twin_id}"}, anew="twin"),
    ("GET", f"{_CLINIC}/merges"): Sample(query={"client_id": "{client_id}"}),
    ("POST", f"{_CLINIC}/merges/{{merge_id}}/undo"): Sample(anew="merge"),
    ("GET", f"{_CLINIC}/patients"): Sample(query={"client_id": "{client_id}"}),
    ("POST", f"{_CLINIC}/patients"): Sample({"client_id": "{client_id}", "name": "Luna", "species": "cat"}),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}"): _NOTHING,
    ("PATCH", f"{_CLINIC}/patients/{{patient_id}}"): Sample({"color": "negro"}),
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/deceased"): Sample(
        {"on": "2026-01-02"}, anew="spare_patient", at=_SPARE
    ),
    ("DELETE", f"{_CLINIC}/patients/{{patient_id}}/deceased"): _NOTHING,
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/deceased"): _NOTHING,
    ("GET", "/api/v1/breeds"): Sample(query={"species": "cat"}),
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/transfer"): Sample(
        {"client_id": "{other_client_id}"}, anew="spare_patient", at=_SPARE
    ),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/parties"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/parties"): Sample(
        {"client_id": "{other_client_id}", "role": "caretaker"}, anew="spare_patient", at=_SPARE
    ),
    ("PATCH", f"{_CLINIC}/patients/{{patient_id}}/parties/{{party_id}}"): Sample(
        {"may_consent": False}, anew="party", at=_SPARE
    ),
    ("DELETE", f"{_CLINIC}/patients/{{patient_id}}/parties/{{party_id}}"): Sample(anew="party", at=_SPARE),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/identifiers"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/identifiers"): Sample(
        {"kind": "tattoo", "value": "EC 12"}, anew="spare_patient", at=_SPARE
    ),
    ("DELETE", f"{_CLINIC}/patients/{{patient_id}}/identifiers/{{identifier_id}}"): Sample(
        anew="identifier", at=_SPARE
    ),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/alerts"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/alerts"): Sample({"moment": "exam", "text": "Muerde"}),
    ("DELETE", f"{_CLINIC}/patients/{{patient_id}}/alerts/{{alert_id}}"): Sample(anew="alert", at=_SPARE),
    ("GET", f"{_CLINIC}/search"): Sample(query={"q": "firulais"}),
    ("GET", f"{_CLINIC}/clients/{{client_id}}/channels"): _NOTHING,
    ("PUT", f"{_CLINIC}/clients/{{client_id}}/channels"): Sample({"whatsapp": False, "source": "phone"}),
    ("POST", f"{_CLINIC}/encounters"): Sample({"patient_id": "{patient_id}", "reason": "Tos"}, who="vet"),
    ("GET", f"{_CLINIC}/encounters"): Sample(query={"patient_id": "{patient_id}"}),
    ("GET", _ENCOUNTER): _NOTHING,
    ("PATCH", _ENCOUNTER): Sample(
        {"version": 1, "note": {"plan": "Reposo"}, "vitals": {"weight_kg": 12.5}}, who="vet", anew="encounter"
    ),
    ("POST", f"{_ENCOUNTER}/sign"): Sample({"version": 2}, who="vet", anew="written_encounter"),
    ("POST", f"{_ENCOUNTER}/addenda"): Sample({"text": "Mejoró"}, who="vet", anew="signed_encounter"),
    ("POST", f"{_ENCOUNTER}/void"): Sample({"reason": "Otra mascota"}, who="vet", anew="encounter"),
    ("POST", f"{_CLINIC}/set-aside-notes/{{note_id}}/dismiss"): Sample(who="vet"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/timeline"): _NOTHING,
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/weights"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/weights"): Sample({"weight_kg": 12.4}),
    ("POST", f"{_CLINIC}/weights/{{weight_id}}/void"): Sample({"reason": "Otra mascota"}, who="vet", anew="weight"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/problems"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/problems"): Sample(
        {"name": "Otitis externa", "encounter_id": "{encounter_id}"}, who="vet", anew="encounter"
    ),
    ("GET", f"{_CLINIC}/problems/{{problem_id}}"): _NOTHING,
    ("PATCH", f"{_CLINIC}/problems/{{problem_id}}"): Sample({"certainty": "confirmed"}, who="vet"),
    ("GET", f"{_CLINIC}/note-templates"): _NOTHING,
    ("POST", f"{_CLINIC}/note-templates"): Sample({"name": "Control", "plan": "Volver en un mes"}, who="vet"),
    ("PATCH", f"{_CLINIC}/note-templates/{{template_id}}"): Sample({"species": "dog"}, who="vet"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/immunizations"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/immunizations"): Sample(
        {
            "vaccine": "Rabia",
            "administered_at": "2026-01-10T15:00:00Z",
            "source": "here",
            "lot_number": "A1",
            "encounter_id": "{encounter_id}",
            "vet_id": "{vet_member_id}",
        },
        who="vet",
        anew="encounter",
    ),
    ("GET", f"{_CLINIC}/immunizations/{{immunization_id}}"): _NOTHING,
    ("POST", f"{_CLINIC}/immunizations/{{immunization_id}}/void"): Sample(_VOID, who="vet", anew="immunization"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/dewormings"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/dewormings"): Sample(
        {
            "product": "Febantel y prazicuantel",
            "target": "internal",
            "administered_at": "2026-01-10T15:00:00Z",
            "source": "here",
            "encounter_id": "{encounter_id}",
            "vet_id": "{vet_member_id}",
        },
        who="vet",
        anew="encounter",
    ),
    ("GET", f"{_CLINIC}/dewormings/{{deworming_id}}"): _NOTHING,
    ("POST", f"{_CLINIC}/dewormings/{{deworming_id}}/void"): Sample(_VOID, who="vet", anew="deworming"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/prescriptions"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/prescriptions"): Sample(
        {
            "items": [
                {
                    "drug": "Meloxicam 1,5 mg/ml",
                    "unit": "ml",
                    "route": "oral",
                    "quantity": 1,
                    "quantity_unit": "frasco",
                    "instructions": "Dar 1 ml con la comida, una vez al día.",
                }
            ],
            "encounter_id": "{encounter_id}",
        },
        who="vet",
        anew="encounter",
    ),
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/prescriptions/check"): Sample(
        {"items": [{"drug": "Meloxicam", "unit": "ml", "route": "oral", "quantity": 1, "instructions": "Con comida."}]},
        who="vet",
    ),
    ("GET", f"{_CLINIC}/prescriptions/{{prescription_id}}"): _NOTHING,
    ("POST", f"{_CLINIC}/prescriptions/{{prescription_id}}/void"): Sample(_VOID, who="vet", anew="prescription"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/allergies"): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/allergies"): Sample({"substance": "Penicilina"}, who="vet"),
    ("POST", f"{_CLINIC}/allergies/{{allergy_id}}/resolve"): Sample(who="vet", anew="allergy"),
    ("POST", f"{_CLINIC}/allergies/{{allergy_id}}/void"): Sample(_VOID, who="vet", anew="allergy"),
    ("GET", f"{_CLINIC}/protocols"): _NOTHING,
    ("PUT", f"{_CLINIC}/protocols"): Sample({"entries": []}),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/immunization-card.pdf"): _NOTHING,
    ("GET", f"{_CLINIC}/prescriptions/{{prescription_id}}/sheet.pdf"): _NOTHING,
    ("GET", f"{_ENCOUNTER}/summary.pdf"): Sample(anew="signed_encounter"),
    ("GET", f"{_CLINIC}/documents"): Sample(query={"patient_id": "{patient_id}"}),
    ("POST", f"{_CLINIC}/documents/{{document_id}}/withdraw"): Sample(
        {"reason": "Otra mascota"}, who="vet", anew="document"
    ),
    ("GET", "/api/v1/portal/documents/{document_token}"): _NOTHING,
    ("GET", "/portal/documents/{document_token}"): _NOTHING,
    ("GET", f"{_CLINIC}/reminder-rules"): _NOTHING,
    ("PUT", f"{_CLINIC}/reminder-rules"): Sample(_REMINDERS),
    ("GET", f"{_CLINIC}/recalls"): Sample(query={"patient_id": "{patient_id}"}),
    ("POST", f"{_CLINIC}/recalls"): Sample(
        {"patient_id": "{patient_id}", "kind": "vaccine_due", "due_on": "2030-01-15", "note": "antirrábica"}
    ),
    ("DELETE", f"{_CLINIC}/recalls/{{recall_id}}"): _NOTHING,
    ("GET", f"{_CLINIC}/messages"): Sample(query={"channel": "whatsapp", "status": "waiting"}),
    ("POST", f"{_CLINIC}/messages/{{message_id}}/sent"): _NOTHING,
    ("POST", f"{_CLINIC}/messages/{{message_id}}/skip"): _NOTHING,
    ("GET", "/api/v1/portal/opt-outs/{opt_out_token}"): _NOTHING,
    ("POST", "/api/v1/portal/opt-outs/{opt_out_token}"): _NOTHING,
    ("GET", f"{_CLINIC}/agenda"): Sample(query={"resource": "{resource_id}"}),
    ("GET", f"{_CLINIC}/events"): _NOTHING,
    ("GET", f"{_CLINIC}/availability"): Sample(query={"service": "{service_id}", "resource": "{resource_id}"}),
    ("GET", f"{_CLINIC}/appointments"): Sample(query={"patient_id": "{patient_id}"}),
    ("POST", f"{_CLINIC}/appointments"): Sample(
        {
            "service_id": "{service_id}",
            "patient_id": "{patient_id}",
            "resource_ids": ["{resource_id}"],
            "starts_at": "{slot}",
        }
    ),
    ("POST", f"{_CLINIC}/appointments/walk-in"): Sample(
        {"service_id": "{service_id}", "patient_id": "{patient_id}", "resource_ids": ["{resource_id}"]}
    ),
    ("GET", f"{_CLINIC}/board"): _NOTHING,
    ("GET", _VISIT): _NOTHING,
    ("POST", f"{_VISIT}/confirm"): Sample(status="requested"),
    ("POST", f"{_VISIT}/check-in"): Sample(status="confirmed"),
    ("POST", f"{_VISIT}/start"): Sample(status="checked_in"),
    ("POST", f"{_VISIT}/ready"): Sample(status="in_exam"),
    ("POST", f"{_VISIT}/complete"): Sample(status="ready"),
    ("POST", f"{_VISIT}/cancel"): Sample({"reason": "de viaje"}, status="confirmed"),
    ("POST", f"{_VISIT}/no-show"): Sample(status="confirmed"),
    ("POST", f"{_VISIT}/back"): Sample({"reason": "por error"}, status="checked_in"),
    ("POST", f"{_VISIT}/reschedule"): Sample({"starts_at": "{slot}", "reason": "llueve"}, status="confirmed"),
    ("POST", f"{_VISIT}/reassign"): Sample({"resource_ids": ["{resource_id}"]}, status="confirmed"),
    ("GET", f"{_VISIT}/history"): _NOTHING,
    ("GET", _WAITLIST): Sample(query={"status": "waiting"}),
    ("POST", _WAITLIST): Sample(
        {
            "service_id": "{service_id}",
            "patient_id": "{patient_id}",
            "resource_ids": ["{resource_id}"],
            "from_date": "2026-01-02",
            "to_date": "{last_day}",
            "weekdays": [1, 3],
            "from_time": "09:00",
            "to_time": "12:30",
            "note": "control",
        }
    ),
    ("DELETE", f"{_WAITLIST}/{{entry_id}}"): Sample(waits="waiting"),
    ("POST", f"{_WAITLIST}/{{entry_id}}/offer"): Sample(
        {"starts_at": "{slot}", "resource_ids": ["{resource_id}"], "minutes": 60}, waits="waiting"
    ),
    ("POST", f"{_WAITLIST}/{{entry_id}}/accept"): Sample(waits="offered"),
    ("POST", f"{_WAITLIST}/{{entry_id}}/decline"): Sample(waits="offered"),
    ("GET", _OFFER): Sample(waits="offered"),
    ("POST", f"{_OFFER}/accept"): Sample(waits="offered"),
    ("POST", f"{_OFFER}/decline"): Sample(waits="offered"),
    ("GET", f"{_CLINIC}/services"): _NOTHING,
    ("POST", f"{_CLINIC}/services"): Sample(
        {"name": "Vacunación", "duration_minutes": 20, "resource_ids": ["{resource_id}"]}
    ),
    ("GET", f"{_CLINIC}/services/{{service_id}}"): _NOTHING,
    ("PATCH", f"{_CLINIC}/services/{{service_id}}"): Sample({"resource_ids": ["{resource_id}"]}),
    ("DELETE", f"{_CLINIC}/services/{{service_id}}"): _NOTHING,
    ("GET", f"{_CLINIC}/resources"): _NOTHING,
    ("POST", f"{_CLINIC}/resources"): Sample({"kind": "vet", "name": "Dra. Paz", "member_id": "{member_id}"}),
    ("GET", f"{_CLINIC}/resources/{{resource_id}}"): _NOTHING,
    ("PATCH", f"{_CLINIC}/resources/{{resource_id}}"): Sample({"member_id": "{member_id}"}),
    ("DELETE", f"{_CLINIC}/resources/{{resource_id}}"): _NOTHING,
    ("GET", f"{_CLINIC}/holidays"): Sample(query={"year": "2026"}),
    ("GET", f"{_CLINIC}/calendars/{{calendar}}"): Sample(query={"token": "{calendar_token}"}),
    ("POST", f"{_CLINIC}/resources/{{resource_id}}/calendar"): _NOTHING,
    ("DELETE", f"{_CLINIC}/resources/{{resource_id}}/calendar"): _NOTHING,
    ("GET", f"{_CLINIC}/resources/{{resource_id}}/hours"): _NOTHING,
    ("PUT", f"{_CLINIC}/resources/{{resource_id}}/hours"): Sample(_HOURS),
    ("GET", f"{_PORTAL}/services"): _NOTHING,
    ("GET", f"{_PORTAL}/availability"): Sample(query={"service": "{service_id}", "resource": "{resource_id}"}),
    ("POST", f"{_PORTAL}/holds"): Sample(
        {"service_id": "{service_id}", "starts_at": "{slot}", "resource_id": "{resource_id}"}
    ),
    ("DELETE", "/api/v1/portal/holds/{hold_token}"): _NOTHING,
    ("POST", f"{_PORTAL}/bookings"): Sample(
        {
            "service_id": "{service_id}",
            "starts_at": "{slot}",
            "resource_id": "{resource_id}",
            "client": {"given_name": "Zoila", "family_name": "Quimbiurco", "phone": "0991234567"},
            "patient": {"name": "Firulais", "species": "dog"},
            "accepted": shown("portal-terms"),
        }
    ),
    ("GET", "/api/v1/portal/bookings/{see_token}"): _NOTHING,
    ("POST", "/api/v1/portal/bookings/{confirm_token}/confirm"): Sample(status="requested"),
    ("POST", "/api/v1/portal/bookings/{reschedule_token}/reschedule"): Sample(
        {"starts_at": "{slot}"}, status="confirmed"
    ),
    ("POST", "/api/v1/portal/bookings/{cancel_token}/cancel"): Sample({"reason": "de viaje"}, status="confirmed"),
    ("GET", f"{_CLINIC}/resources/{{resource_id}}/exceptions"): _NOTHING,
    ("PUT", _EXCEPTION): Sample({"spans": [{"opens": "09:00", "closes": "12:00"}], "reason": "Feria"}),
    ("DELETE", _EXCEPTION): _NOTHING,
    ("GET", f"{_CLINIC}/closures"): Sample(query={"resource": "{resource_id}"}),
    ("POST", f"{_CLINIC}/closures"): Sample(
        {"starts_on": "2030-12-24", "resource_id": "{resource_id}", "reason": "Vacaciones"}
    ),
    ("GET", _CLOSURE): _NOTHING,
    ("PATCH", _CLOSURE): Sample({"to_time": "12:00", "resource_id": "{resource_id}"}),
    ("DELETE", _CLOSURE): _NOTHING,
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/photo"): Sample(content="{picture}", anew="picture"),
    ("DELETE", f"{_CLINIC}/patients/{{patient_id}}/photo"): Sample(anew="photo"),
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/attachments"): Sample(content="{picture}", anew="picture", who="vet"),
    ("GET", f"{_CLINIC}/patients/{{patient_id}}/attachments"): _NOTHING,
    ("POST", f"{_CLINIC}/media/{{media_id}}/void"): Sample({"reason": "De otro animal"}, anew="attachment", who="vet"),
    ("POST", f"{_CLINIC}/patients/{{patient_id}}/uploads"): Sample({"purpose": "photo", "size": 9, "sha256": "0" * 64}),
    ("PUT", f"{_CLINIC}/media/{{media_id}}/bytes"): Sample(content="{picture}", anew="upload"),
    ("POST", f"{_CLINIC}/media/{{media_id}}/arrived"): Sample(anew="photo"),
    ("POST", f"{_CLINIC}/media/{{media_id}}/retry"): Sample(anew="photo"),
    ("GET", f"{_CLINIC}/media/{{media_id}}"): Sample(anew="photo"),
    ("GET", f"{_CLINIC}/media/{{media_id}}/{{variant}}"): Sample(anew="photo"),
    ("POST", f"{_CLINIC}/imports"): Sample({"file_name": "clientes.csv", "size": 9, "sha256": "0" * 64}),
    ("PUT", f"{_IMPORT}/file"): Sample(content="{import_file}", anew="import"),
    ("GET", f"{_CLINIC}/imports"): _NOTHING,
    ("GET", _IMPORT): _NOTHING,
    ("POST", f"{_CLINIC}/clients/{{client_id}}/export"): _NOTHING,
    ("GET", f"{_CLINIC}/privacy/requests"): Sample(query={"right": "access", "open": "true"}),
    ("POST", f"{_CLINIC}/privacy/requests"): Sample(
        {"right": "access", "client_id": "{client_id}", "asked": "¿Qué datos míos tienen?", "channel": "letter"}
    ),
    ("GET", _RIGHTS_REQUEST): _NOTHING,
    ("PATCH", _RIGHTS_REQUEST): Sample(
        {"version": 1, "step": "prove_identity", "method": "document_shown"}, anew="request"
    ),
    ("POST", f"{_CLIENT}/erase"): Sample(
        {"request_id": "{erasure_request_id}"}, anew="spare_client", at={"client_id": "spare_client_id"}
    ),
    ("GET", f"{_CLINIC}/privacy/erasures"): _NOTHING,
    ("GET", f"{_CLINIC}/privacy/erasures/{{erasure_id}}"): _NOTHING,
    ("GET", f"{_CLINIC}/privacy/retention"): _NOTHING,
    ("PUT", f"{_CLINIC}/privacy/retention"): Sample({"rules": [_KEPT]}),
    ("GET", f"{_CLINIC}/export"): _NOTHING,
    ("GET", f"{_IMPORT}/rows"): _NOTHING,
    ("POST", f"{_IMPORT}/apply"): Sample({"skip_errors": True}, anew="checked_import"),
    ("DELETE", _IMPORT): Sample(anew="import"),
}
