"""A clinic with a person to erase: one animal is theirs alone, another has a second owner."""

from typing import Any
from uuid import UUID

from tests.integration.http.service import TREATMENTS, Clinic, Service, superuser

NAME = "Zoila Quimbiurco"
NAMED = "La Sra. ZÓILA  Quimbiurco (099 123 4567) refiere tos"
CUT = "La Sra. [eliminado] ([eliminado]) refiere tos"


class Scene:
    """`theirs` is the animal that is theirs alone, `shared` the one with another owner."""

    def __init__(self, service: Service, clinic: Clinic) -> None:
        self.service = service
        self.clinic = clinic
        self.client: str = clinic.ids["client_id"]
        self.other: str = clinic.ids["other_client_id"]
        self.shared: str = clinic.ids["patient_id"]
        self.theirs = ""
        self.kept: dict[str, dict[str, str]] = {}

    async def done(self, method: str, path: str, who: str = "owner", **content: Any) -> Any:
        """What a request under the clinic that must succeed answers."""
        return await self.service.done(
            method, f"/clinics/{self.clinic.slug}/{path}", self.clinic.people[who], **content
        )

    async def ask(self, method: str, path: str, who: str = "owner", **content: Any) -> tuple[int, str]:
        """Status and code of the answer to a request under the clinic."""
        answer = await self.service.ask(
            method, f"/clinics/{self.clinic.slug}/{path}", self.clinic.people[who], **content
        )
        return answer.status_code, answer.json().get("code", "") if answer.content else ""

    async def erase(self, **content: Any) -> Any:
        """Erase the person."""
        return await self.done("POST", f"clients/{self.client}/erase", **content)

    async def write(self, patient: str) -> dict[str, str]:
        """Of an animal all that names the person, and a draft; answers the ids."""
        ids = dict(self.clinic.ids)
        self.clinic.ids["patient_id"] = patient
        for kind in ("written_encounter", *TREATMENTS, "weight", "document"):
            await self.service.plant(self.clinic, kind)
        made = {name: self.clinic.ids[name] for name in self.clinic.ids if name.endswith("_id")}
        at = f"encounters/{made['encounter_id']}"
        found = {"name": NAMED, "encounter_id": made["encounter_id"]}
        made["problem_id"] = (await self.done("POST", f"patients/{patient}/problems", "vet", json=found))["id"]
        version = (await self.done("GET", at, "vet"))["version"]
        await self.done("PATCH", at, "vet", json={"version": version, "note": {"subjective": NAMED}})
        await self.done("POST", f"{at}/sign", "vet", json={"version": version + 1})
        await self.done("POST", f"{at}/addenda", "vet", json={"text": NAMED})
        reason = {"reason": NAMED}
        await self.done("POST", f"weights/{made['weight_id']}/void", "vet", json=reason)
        await self.done("POST", f"patients/{patient}/alerts", json={"moment": "exam", "text": NAMED})
        draft = {"patient_id": patient, "reason": NAMED}
        made["draft_id"] = (await self.done("POST", "encounters", "vet", json=draft))["id"]
        self.clinic.ids.clear()
        self.clinic.ids.update(ids)
        return made

    async def fetch(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Rows as a superuser sees them."""
        async with superuser(self.service.settings) as admin:
            return [dict(row) for row in await admin.fetch(sql, *arguments)]

    async def counts(self) -> dict[str, int]:
        """How many rows of this clinic each table has."""
        tables = await self.fetch(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND column_name = 'clinic_id'"
        )
        parts = [
            f"SELECT '{row['table_name']}' AS name, count(*) AS n FROM {row['table_name']} WHERE clinic_id = $1"  # noqa: S608 -- the catalogue's names
            for row in tables
        ]
        found = await self.fetch(" UNION ALL ".join(parts), UUID(self.clinic.id))
        return {row["name"]: row["n"] for row in found}

    async def texts(self) -> str:
        """All that this clinic's rows say."""
        tables = await self.fetch(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND column_name = 'clinic_id'"
        )
        parts = [
            f"SELECT '{row['table_name']} ' || to_jsonb(t)::text AS row FROM {row['table_name']} t"  # noqa: S608 -- the catalogue's names
            " WHERE t.clinic_id = $1"
            for row in tables
        ]
        rows = await self.fetch(" UNION ALL ".join(parts), UUID(self.clinic.id))
        return "\n".join(row["row"] for row in rows)


async def set_scene(service: Service) -> Scene:
    """A clinic of its own."""
    clinic = await service.open_clinic("olvido")
    await service.equip(clinic)
    base, owner = f"/clinics/{clinic.slug}", clinic.owner
    await service.join(clinic, "vet")
    at = f"{base}/members/{clinic.ids['vet_member_id']}"
    await service.done("PATCH", at, owner, json={"registration_number": "TEST-0001"})
    other = {"given_name": "Aurelio", "family_name": "Chiluiza"}
    clinic.ids["other_client_id"] = (await service.done("POST", f"{base}/clients", owner, json=other))["id"]
    scene = Scene(service, clinic)
    party = {"client_id": scene.other, "role": "co_owner"}
    await scene.done("POST", f"patients/{scene.shared}/parties", json=party)
    animal = {
        "client_id": scene.client,
        "name": "Canela",
        "species": "dog",
        "breed": "Xoloitzcuintle",
        "birth_date": "2020-05-17",
        "birth_date_precision": "day",
        "color": "canela",
    }
    scene.theirs = (await scene.done("POST", "patients", json=animal))["id"]
    return scene
