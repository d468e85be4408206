"""Alerts of patients: shown with them and with their visits, at their moment, until they end or expire."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.integration.http.service import Clinic, Service, superuser

from coravet.core.tenancy.clinic_day import bounds, day_of, time_zone

ZONE = time_zone("America/Guayaquil")


async def _set_up(service: Service) -> Clinic:
    return await service.equip(await service.open_clinic("alertas"))


async def _alert(service: Service, clinic: Clinic, moment: str, **given: Any) -> Any:
    at = f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}/alerts"
    return await service.done("POST", at, clinic.owner, json={"moment": moment, "text": moment, **given})


def _texts(view: Any) -> set[str]:
    return {alert["text"] for alert in view["alerts"]}


async def test_moments(service: Service) -> None:
    """A visit shows the alerts of the moment it is in and of the next one, wherever it is shown; once over, none."""
    clinic = await _set_up(service)
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    for moment in ("booking", "check_in", "exam"):
        await _alert(service, clinic, moment)
    visit = await service.book(clinic)
    assert _texts(visit) == {"booking", "check_in"}
    at = f"{base}/appointments/{visit['id']}"
    day = day_of(datetime.fromisoformat(visit["starts_at"]), ZONE).isoformat()
    for path in ("agenda", "board"):
        shown = await service.done("GET", f"{base}/{path}", clinic.owner, params={"date": day})
        assert [_texts(item) for item in shown["items"] if item["id"] == visit["id"]] == [{"booking", "check_in"}]
    listed = await service.done("GET", f"{base}/appointments", clinic.owner, params={"patient_id": ids["patient_id"]})
    assert {"booking", "check_in"} in [_texts(item) for item in listed["items"]]
    for step, texts in (
        ("check-in", {"check_in", "exam"}),
        ("start", {"exam"}),
        ("ready", {"exam"}),
        ("complete", set()),
    ):
        assert _texts(await service.done("POST", f"{at}/{step}", clinic.owner)) == texts
    patient = await service.done("GET", f"{base}/patients/{ids['patient_id']}", clinic.owner)
    assert _texts(patient) == {"booking", "check_in", "exam"}
    assert patient["version"] == 4


async def test_ends(service: Service) -> None:
    """What was ended shows no longer, and cannot be ended twice, nor under another patient."""
    clinic = await _set_up(service)
    patients = f"/clinics/{clinic.slug}/patients"
    at = f"{patients}/{clinic.ids['patient_id']}"
    made = await _alert(service, clinic, "exam")
    animal = {"client_id": clinic.ids["client_id"], "name": "Luna", "species": "cat"}
    other = (await service.done("POST", patients, clinic.owner, json=animal))["id"]
    assert (await service.ask("DELETE", f"{patients}/{other}/alerts/{made['id']}", clinic.owner)).status_code == 404
    await service.done("DELETE", f"{at}/alerts/{made['id']}", clinic.owner)
    assert (await service.ask("DELETE", f"{at}/alerts/{made['id']}", clinic.owner)).status_code == 404
    assert (await service.done("GET", at, clinic.owner))["alerts"] == []
    assert (await service.done("GET", f"{at}/alerts", clinic.owner))["items"] == []
    async with superuser(service.settings) as admin:
        kinds = await admin.fetch(
            "SELECT kind, subject_version FROM outbox WHERE subject_id = $1 ORDER BY id", UUID(clinic.ids["patient_id"])
        )
    assert [tuple(row) for row in kinds] == [
        ("patient.created", 1),
        ("patient.alert_changed", 2),
        ("patient.alert_changed", 3),
    ]


async def test_expires(service: Service) -> None:
    """An alert shows through the whole of its last clinic day, and not after it; one for yesterday is refused."""
    clinic = await _set_up(service)
    at = f"/clinics/{clinic.slug}/patients/{clinic.ids['patient_id']}"
    today = day_of(datetime.now(UTC), ZONE)
    made = await _alert(service, clinic, "booking", expires_on=today.isoformat())
    assert made["expires_on"] == today.isoformat()
    async with superuser(service.settings) as admin:
        ends = await admin.fetchval("SELECT expires_at FROM alerts WHERE id = $1", UUID(made["id"]))
        assert ends == bounds(today, ZONE).ends_at
        visit = await service.book(clinic)
        assert _texts(visit) == {"booking"}
        past = datetime.now(UTC) - timedelta(seconds=1)
        await admin.execute("UPDATE alerts SET expires_at = $2 WHERE id = $1", UUID(made["id"]), past)
    assert (await service.done("GET", at, clinic.owner))["alerts"] == []
    assert (await service.done("GET", f"{at}/alerts", clinic.owner))["items"] == []
    visit = await service.done("GET", f"/clinics/{clinic.slug}/appointments/{visit['id']}", clinic.owner)
    assert visit["alerts"] == []
    yesterday = (today - timedelta(days=1)).isoformat()
    body = {"moment": "exam", "text": "Muerde", "expires_on": yesterday}
    answer = await service.ask("POST", f"{at}/alerts", clinic.owner, json=body)
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/expires_on", "in_past")]
