"""The country's holidays over HTTP, as suggestions that the clinic accepts."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.integration.http.service import Clinic, Service


@pytest.fixture
async def empty(service: Service) -> Clinic:
    """A clinic without closures."""
    return await service.open_clinic()


async def holidays(service: Service, clinic: Clinic, year: int = 2027) -> dict[str, Any]:
    """The year's holidays by date."""
    found = await service.done("GET", f"/clinics/{clinic.slug}/holidays", clinic.owner, params={"year": year})
    return {item["date"]: item for item in found["items"]}


async def close(service: Service, clinic: Clinic, **closure: Any) -> str:
    made = await service.done("POST", f"/clinics/{clinic.slug}/closures", clinic.owner, json=closure)
    closure_id: str = made["id"]
    return closure_id


async def test_suggested(service: Service, empty: Clinic) -> None:
    """Each has a Spanish and an English name, and closes nothing until the clinic accepts it."""
    assert (await holidays(service, empty))["2027-11-01"] == {
        "date": "2027-11-01",
        "name": "Independencia de Cuenca",
        "name_en": "Independence of Cuenca",
        "closure_id": None,
    }
    accepted = await close(service, empty, starts_on="2027-11-01", holiday=True, reason="Independencia de Cuenca")
    found = await holidays(service, empty)
    assert {day: item["closure_id"] for day, item in found.items() if item["closure_id"]} == {"2027-11-01": accepted}


async def test_covered(service: Service, clinic: Clinic, empty: Clinic) -> None:
    """A day is covered where the whole clinic is shut all day: not for an afternoon, not a vet's, not another's."""
    both = await close(service, empty, starts_on="2027-02-07", ends_on="2027-02-09", from_time="12:00")
    await close(service, empty, starts_on="2027-01-01", to_time="12:00")
    await close(service, empty, starts_on="2027-05-24", from_time="12:00")
    vet = {"kind": "vet", "name": "Dra. Paz"}
    resource = (await service.done("POST", f"/clinics/{empty.slug}/resources", empty.owner, json=vet))["id"]
    await close(service, empty, starts_on="2027-08-09", resource_id=resource)
    await close(service, clinic, starts_on="2027-10-08", holiday=True)
    found = await holidays(service, empty)
    covered = {day: item["closure_id"] for day, item in found.items() if item["closure_id"]}
    assert covered == {"2027-02-08": both, "2027-02-09": both}


async def test_year(service: Service, empty: Clinic) -> None:
    """It is the present year unless one is named, and one that nobody knows the holidays of is refused."""
    found = await service.done("GET", f"/clinics/{empty.slug}/holidays", empty.owner)
    assert {item["date"][:4] for item in found["items"]} <= {str(datetime.now(UTC).year + each) for each in (-1, 0)}
    for year in ("2016", "2100", "-1", "99999999999999999999", "x"):
        answer = await service.ask("GET", f"/clinics/{empty.slug}/holidays", empty.owner, params={"year": year})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), year
        if year != "x":
            assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/year", "out_of_range")]
