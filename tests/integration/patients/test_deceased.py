"""Recording a patient's death over HTTP, and taking it back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service

from coravet.core.tenancy.clinic_day import day_of, time_zone


@pytest.fixture
async def patient(service: Service, clinic: Clinic) -> Any:
    """A patient born on 15 June 2020."""
    animal = {"client_id": clinic.ids["client_id"], "name": "Luna", "species": "cat", "birth_date": "2020-06-15"}
    return await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=animal)


async def test_deceased(service: Service, clinic: Clinic, patient: Any) -> None:
    """A death is recorded for today, its day corrected, and taken back; each is a version, and reads show it."""
    at = f"/clinics/{clinic.slug}/patients/{patient['id']}"
    assert patient["deceased_on"] is None
    today = day_of(datetime.now(UTC), time_zone("America/Guayaquil"))
    died = await service.done("POST", f"{at}/deceased", clinic.owner)
    assert (died["deceased_on"], died["version"]) == (today.isoformat(), 2)
    died = await service.done("POST", f"{at}/deceased", clinic.owner, json={"on": "2020-06-15", "version": 2})
    assert (died["deceased_on"], died["version"]) == ("2020-06-15", 3)
    assert (await service.done("GET", at, clinic.owner))["deceased_on"] == "2020-06-15"
    lives = await service.done("DELETE", f"{at}/deceased", clinic.owner, params={"version": "3"})
    assert (lives["deceased_on"], lives["version"]) == (None, 4)
    assert await service.done("DELETE", f"{at}/deceased", clinic.owner) == lives


async def test_refused(service: Service, clinic: Clinic, patient: Any) -> None:
    """A day after today or before the birth is refused by a code of its own, and so is a birth after death."""
    at = f"/clinics/{clinic.slug}/patients/{patient['id']}"
    tomorrow = day_of(datetime.now(UTC), time_zone("America/Guayaquil")) + timedelta(days=1)
    for on, code in ((tomorrow.isoformat(), "in_future"), ("2020-06-14", "before_birth")):
        answer = await service.ask("POST", f"{at}/deceased", clinic.owner, json={"on": on})
        assert answer.status_code == 422
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/on", code)]
    assert (await service.done("GET", at, clinic.owner))["version"] == 1
    await service.done("POST", f"{at}/deceased", clinic.owner, json={"on": "2021-01-01"})
    answer = await service.ask("PATCH", at, clinic.owner, json={"birth_date": "2021-01-02"})
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/birth_date", "after_death")]


async def test_stale(service: Service, clinic: Clinic, patient: Any) -> None:
    """Who names an old version changes nothing."""
    at = f"/clinics/{clinic.slug}/patients/{patient['id']}/deceased"
    await service.done("POST", at, clinic.owner)
    for method, old in (("POST", {"json": {"version": 1}}), ("DELETE", {"params": {"version": "1"}})):
        answer = await service.ask(method, at, clinic.owner, **old)
        assert (answer.status_code, answer.json()["code"], answer.json()["version"]) == (409, "stale_version", 2)
