"""Clinics: what they say of themselves, and listing them."""

import asyncio
from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service

INVISIBLE = "Clínica\u202e"


def _bad(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        ({}, {"/slug": "reserved", "/name": "required", "/time_zone": "unknown_time_zone"}),
        ({"name": INVISIBLE}, {"/slug": "reserved", "/name": "not_text", "/time_zone": "unknown_time_zone"}),
        ({"slug": "nueva\n"}, {"/slug": "malformed", "/name": "required", "/time_zone": "unknown_time_zone"}),
        (
            {"owner_email": "a@b"},
            {
                "/slug": "reserved",
                "/name": "required",
                "/time_zone": "unknown_time_zone",
                "/owner_email": "malformed",
            },
        ),
    ],
)
async def test_bad_fields(change: dict[str, str], bad: dict[str, str], service: Service) -> None:
    """Opening a clinic lists every bad field at once, whether some are malformed or not."""
    body = {"slug": "api", "name": "  ", "time_zone": "Mars/Olympus", "owner_email": "ana@correo.test"}
    answer = await service.ask("POST", "/clinics", await service.operator(), json=body | change)
    assert _bad(answer) == bad


async def test_clean_name(service: Service) -> None:
    """A clinic's name is stored clean, and a change to a blank one is refused together with a bad zone."""
    clinic = await service.open_clinic()
    at = f"/clinics/{clinic.slug}"
    changed = await service.done("PATCH", at, clinic.owner, json={"name": "  Clínica \t La  Paz "})
    assert changed["name"] == "Clínica La Paz"
    answer = await service.ask("PATCH", at, clinic.owner, json={"name": " ", "time_zone": "X"})
    assert _bad(answer) == {"/name": "required", "/time_zone": "unknown_time_zone"}


async def test_changes_at_once(service: Service) -> None:
    """Changes that name no version wait for each other; one that names an old version is told the current one."""
    clinic = await service.open_clinic()
    at = f"/clinics/{clinic.slug}"
    changes = [service.ask("PATCH", at, clinic.owner, json={"name": f"Clínica {n}"}) for n in range(10)]
    assert {answer.status_code for answer in await asyncio.gather(*changes)} == {200}
    changes = [service.ask("PATCH", at, clinic.owner, json={"version": 11, "name": f"Vet {n}"}) for n in range(5)]
    answers = sorted(await asyncio.gather(*changes), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 409, 409, 409, 409]
    assert [answer.json()["version"] for answer in answers] == [12] * 5


async def test_pages(service: Service) -> None:
    """Whoever works in several clinics gets them in pages, each once; a cursor that is none is refused."""
    first = await service.open_clinic("primera")
    email = (await service.done("GET", "/session", first.owner))["user"]["email"]
    clinics: list[Clinic] = [first]
    for name in ("segunda", "tercera"):
        clinic = await service.open_clinic(name)
        offer = {"email": email, "roles": ["staff"]}
        made = await service.done("POST", f"/clinics/{clinic.slug}/invitations", clinic.owner, json=offer)
        await service.done("POST", f"/invitations/{made['token']}/accept", first.owner)
        clinics.append(clinic)
    found: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    for size in (2, 1):
        page = await service.done("GET", "/clinics", first.owner, params=params)
        assert len(page["items"]) == size
        found += [each["slug"] for each in page["items"]]
        params["cursor"] = page["next_cursor"]
    assert page["next_cursor"] is None
    assert found == [clinic.slug for clinic in clinics]
    assert _bad(await service.ask("GET", "/clinics?cursor=x", first.owner)) == {"/cursor": "not_a_cursor"}
