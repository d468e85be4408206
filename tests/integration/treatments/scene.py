"""A clinic's vet at work on patients of the test's own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from tests.integration.http.service import Clinic, Service

Row = dict[str, Any]


def ago(**since: float) -> str:
    """An instant so long ago, as it is sent."""
    return (datetime.now(UTC) - timedelta(**since)).isoformat()


def day(days: int) -> str:
    """A clinic day so many days from today."""
    return ((datetime.now(UTC) - timedelta(hours=5)).date() + timedelta(days=days)).isoformat()


class Vet:
    """The clinic's vet, with a patient that nobody else knows."""

    def __init__(self, service: Service, clinic: Clinic, patient: Row) -> None:
        self.service = service
        self.clinic = clinic
        self.patient = patient

    @property
    def at(self) -> str:
        """The patient's address."""
        return f"/clinics/{self.clinic.slug}/patients/{self.patient['id']}"

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The answer to a request below the clinic, or (`patient/…`) below the patient."""
        below = path.removeprefix("patient/")
        at = f"{self.at}/{below}" if below != path else f"/clinics/{self.clinic.slug}/{path}"
        return await self.service.ask(method, at, self.clinic.people["vet"], json=body, headers=headers)

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        """What a request that must succeed answers."""
        answer = await self.ask(method, path, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(self, path: str, body: Any) -> tuple[int, dict[str, str] | str]:
        """The status of a POST that must fail, and its bad fields, or where it names none its code."""
        answer = await self.ask("POST", path, body)
        problem = answer.json()
        errors = {error["pointer"]: error["code"] for error in problem.get("errors", [])}
        return answer.status_code, errors or problem["code"]

    async def dose(self, **changes: Any) -> Row:
        """A recorded dose against rabies, now and here."""
        body = {"vaccine": "Rabia", "administered_at": ago(minutes=1), "source": "here", "lot_number": "A1"} | changes
        made: Row = await self.done("POST", "patient/immunizations", body)
        return made

    async def recalls(self) -> list[tuple[str, str, str | None]]:
        """The patient's open recalls: kind, day and note, the next first."""
        found = await self.done("GET", f"recalls?patient_id={self.patient['id']}")
        return [(each["kind"], each["due_on"], each["note"]) for each in found["items"]]


async def vet_with(service: Service, clinic: Clinic, **animal: Any) -> Vet:
    """The clinic's vet with a new patient: a grown dog unless told otherwise."""
    wanted = {"client_id": clinic.ids["client_id"], "name": "Canela", "species": "dog", "birth_date": "2020-06-15"}
    patient = await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=wanted | animal)
    return Vet(service, clinic, patient)
