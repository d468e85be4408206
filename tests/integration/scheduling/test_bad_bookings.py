"""Bookings that cannot be: each is refused with a code of its own and a sentence in the reader's language."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.http.service import EVERY_HOUR, Clinic, Service


@pytest.fixture(scope="module")
async def clinic(service: Service) -> Clinic:
    """A clinic with a second vet, and a service for cats only; its patient is a dog."""
    clinic = await service.equip(await service.open_clinic("rechazos"))
    base, ids, owner = f"/clinics/{clinic.slug}", clinic.ids, clinic.owner
    ids["other_vet_id"] = (await service.done("POST", f"{base}/resources", owner, json={"kind": "vet", "name": "B"}))[
        "id"
    ]
    await service.done("PUT", f"{base}/resources/{ids['other_vet_id']}/hours", owner, json=EVERY_HOUR)
    both = {"resource_ids": [ids["resource_id"], ids["other_vet_id"], ids["room_id"]]}
    await service.done("PATCH", f"{base}/services/{ids['service_id']}", owner, json=both)
    for_cats = both | {"name": "Gatos", "duration_minutes": 30, "species": ["cat"], "bookable_online": True}
    ids["for_cats_id"] = (await service.done("POST", f"{base}/services", owner, json=for_cats))["id"]
    return clinic


THREE_YEARS = (datetime.now(UTC) + timedelta(days=3 * 365)).isoformat()
BOOK, PORTAL = "/clinics/{clinic}/appointments", "/portal/clinics/{clinic}/bookings"
SPECIES = (
    "Este servicio no es para animales de esta especie. Elija otro servicio.",
    "This service is not for animals of this species. Choose another service.",
)
FAR = (
    "Se puede agendar una cita hasta con dos años de anticipación.",
    "A visit can be booked up to two years ahead.",
)
BAD: list[tuple[str, dict[str, Any], str, str, tuple[str, str]]] = [
    (BOOK, {"starts_at": THREE_YEARS}, "/starts_at", "too_far", FAR),
    (f"{BOOK}/{{appointment_id}}/reschedule", {"starts_at": THREE_YEARS}, "/starts_at", "too_far", FAR),
    (PORTAL, {"starts_at": THREE_YEARS}, "/starts_at", "too_far", FAR),
    (BOOK, {"service_id": "{for_cats_id}"}, "/patient_id", "species_not_served", SPECIES),
    (f"{BOOK}/walk-in", {"service_id": "{for_cats_id}"}, "/patient_id", "species_not_served", SPECIES),
    (PORTAL, {"service_id": "{for_cats_id}"}, "/patient/species", "species_not_served", SPECIES),
    (
        BOOK,
        {"resource_ids": ["{resource_id}", "{other_vet_id}"]},
        "/resource_ids",
        "repeated_kind",
        ("Indique un solo recurso de cada tipo.", "Name one resource of each kind."),
    ),
    (
        BOOK,
        {"resource_ids": ["{room_id}"]},
        "/resource_ids",
        "leading_resource_missing",
        ("Indique quién o qué atiende la cita: veterinario.", "Name the vet that serves the visit."),
    ),
]


def _filled(value: Any, ids: dict[str, str]) -> Any:
    """The value with the clinic's ids in their places."""
    return [each.format_map(ids) for each in value] if isinstance(value, list) else value.format_map(ids)


def _body(clinic: Clinic, path: str) -> dict[str, Any]:
    """What could be sent there."""
    if path == PORTAL:
        return clinic.guest()
    if path.endswith("/reschedule"):
        return {}
    body = clinic.visit()
    return {name: body[name] for name in ("service_id", "patient_id")} if path.endswith("/walk-in") else body


@pytest.mark.parametrize(
    ("path", "changes", "pointer", "code", "told"), BAD, ids=[f"{each[3]}-{each[0].rpartition('/')[2]}" for each in BAD]
)
async def test_bad_booking(
    service: Service, clinic: Clinic, path: str, changes: dict[str, Any], pointer: str, code: str, told: tuple[str, str]
) -> None:
    """The field is named, with a code and told so in the language that is asked for."""
    body = _body(clinic, path) | {name: _filled(value, clinic.ids) for name, value in changes.items()}
    who = {} if path == PORTAL else clinic.owner
    for language, sentence in zip(("es-EC,es;q=0.9,en;q=0.5", "en"), told, strict=True):
        headers = {"Accept-Language": language}
        answer = await service.ask("POST", path.format_map(clinic.ids), who, headers=headers, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid")
        assert problem["errors"] == [{"pointer": pointer, "code": code, "detail": sentence}]
