"""Who a patient belongs to, over HTTP: relations that begin and end, and a transfer that closes and opens."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from tests.integration.http.service import Clinic, Service, superuser


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """A furnished clinic of the test's own, with two more clients, and a patient without visits."""
    clinic = await service.furnish(await service.open_clinic("familia"))
    for name in ("ana", "eva"):
        person = {"given_name": name.title(), "family_name": "Moreira", "email": f"{name}@correo.test"}
        made = await service.done("POST", f"/clinics/{clinic.slug}/clients", clinic.owner, json=person)
        clinic.ids[name] = made["id"]
    animal = {"client_id": clinic.ids["ana"], "name": "Luna", "species": "cat"}
    clinic.ids["luna"] = (await service.done("POST", f"/clinics/{clinic.slug}/patients", clinic.owner, json=animal))[
        "id"
    ]
    return clinic


async def _owners(service: Service, patient_id: str) -> list[Any]:
    """The ownerships that a patient has now, as they are stored."""
    async with superuser(service.settings) as admin:
        return await admin.fetch(
            "SELECT client_id FROM parties WHERE patient_id = $1 AND role = 'owner' AND until IS NULL", UUID(patient_id)
        )


async def test_others(service: Service, clinic: Clinic) -> None:
    """Co-owners and caretakers are added and ended; co-owners may consent unless said otherwise; all stays readable."""
    at = f"/clinics/{clinic.slug}/patients/{clinic.ids['luna']}"
    co_owner = {"client_id": clinic.ids["eva"], "role": "co_owner"}
    made = await service.done("POST", f"{at}/parties", clinic.owner, json=co_owner)
    assert (made["role"], made["may_consent"], made["client"]["name"]) == ("co_owner", True, "Eva Moreira")
    for client in ("eva", "ana"):
        again = {"client_id": clinic.ids[client], "role": "caretaker"}
        answer = await service.ask("POST", f"{at}/parties", clinic.owner, json=again)
        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    sitter = {"client_id": clinic.ids["client_id"], "role": "caretaker"}
    assert (await service.done("POST", f"{at}/parties", clinic.owner, json=sitter))["may_consent"] is False
    await service.done("DELETE", f"{at}/parties/{made['id']}", clinic.owner)
    assert (await service.ask("DELETE", f"{at}/parties/{made['id']}", clinic.owner)).status_code == 404
    items = (await service.done("GET", f"{at}/parties", clinic.owner))["items"]
    assert [(item["role"], item["until"] is None) for item in items] == [
        ("caretaker", True),
        ("co_owner", False),
        ("owner", True),
    ]
    owner = items[-1]
    answer = await service.ask("DELETE", f"{at}/parties/{owner['id']}", clinic.owner)
    assert (answer.status_code, answer.json()["code"]) == (409, "owner_stays")
    answer = await service.ask("POST", f"{at}/parties", clinic.owner, json={**co_owner, "role": "owner"})
    assert answer.status_code == 422


async def test_listed(service: Service, clinic: Clinic) -> None:
    """An animal stands under whoever is its owner, co-owner or caretaker now, with what they are to it."""
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    at = f"{base}/patients/{ids['luna']}"
    co_owner = {"client_id": ids["eva"], "role": "co_owner"}
    made = await service.done("POST", f"{at}/parties", clinic.owner, json=co_owner)

    async def listed(client: str) -> list[tuple[str, str | None, str]]:
        found = await service.done("GET", f"{base}/patients", clinic.owner, params={"client_id": ids[client]})
        return [(each["id"], each["role"], each["client_id"]) for each in found["items"]]

    assert await listed("ana") == [(ids["luna"], "owner", ids["ana"])]
    assert await listed("eva") == [(ids["luna"], "co_owner", ids["ana"])]
    found = await service.done("GET", f"{base}/patients", clinic.owner, params={"q": "luna"})
    assert [each["role"] for each in found["items"] if each["id"] == ids["luna"]] == [None]
    await service.done("DELETE", f"{at}/parties/{made['id']}", clinic.owner)
    assert await listed("eva") == []


async def test_may_consent(service: Service, clinic: Clinic) -> None:
    """Whether a party may consent, the owner too, changes by closing and opening; what is so already stays."""
    at = f"/clinics/{clinic.slug}/patients/{clinic.ids['luna']}"
    [owner] = (await service.done("GET", f"{at}/parties", clinic.owner))["items"]
    changed = await service.done("PATCH", f"{at}/parties/{owner['id']}", clinic.owner, json={"may_consent": False})
    assert (changed["role"], changed["client"], changed["may_consent"]) == ("owner", owner["client"], False)
    again = await service.done("PATCH", f"{at}/parties/{changed['id']}", clinic.owner, json={"may_consent": False})
    assert again == changed
    items = (await service.done("GET", f"{at}/parties", clinic.owner))["items"]
    assert items == [changed, owner | {"until": changed["since"]}]
    assert (await service.done("GET", at, clinic.owner))["version"] == 2
    gone = await service.ask("PATCH", f"{at}/parties/{owner['id']}", clinic.owner, json={"may_consent": True})
    assert gone.status_code == 404


async def test_since(service: Service, clinic: Clinic) -> None:
    """A party may have been one since a day, which lies neither ahead nor before the patient's birth."""
    at = f"/clinics/{clinic.slug}/patients/{clinic.ids['luna']}"
    await service.done("PATCH", at, clinic.owner, json={"birth_date": "2020-06-15", "birth_date_precision": "month"})
    body = {"client_id": clinic.ids["eva"], "role": "co_owner"}
    for since, code in (("2999-01-01", "in_future"), ("1979-12-31", "out_of_range"), ("2020-05-31", "before_birth")):
        answer = await service.ask("POST", f"{at}/parties", clinic.owner, json=body | {"since": since})
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("/since", code)]
    made = await service.done("POST", f"{at}/parties", clinic.owner, json=body | {"since": "2020-06-01"})
    assert made["since"] == "2020-06-01T05:00:00Z"


async def test_transfer(service: Service, clinic: Clinic) -> None:
    """A transfer ends one ownership and begins another: visits to come are the new owner's, others are as before."""
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    at = f"{base}/patients/{ids['luna']}"
    body = {"patient_id": ids["luna"]}
    visits = [
        await service.done("POST", f"{base}/appointments", clinic.owner, json=clinic.visit() | body) for _ in range(3)
    ]
    here, gone, coming = (f"{base}/appointments/{visit['id']}" for visit in visits)
    await service.done("POST", f"{here}/check-in", clinic.owner)
    await service.done("POST", f"{gone}/cancel", clinic.owner)
    wish = {"service_id": ids["service_id"], **body, "from_date": "2026-01-02", "to_date": ids["last_day"]}
    entry = await service.done("POST", f"{base}/waitlist", clinic.owner, json=wish)
    await service.done("POST", f"{at}/parties", clinic.owner, json={"client_id": ids["eva"], "role": "co_owner"})
    version = (await service.done("GET", at, clinic.owner))["version"]
    to_eva = {"client_id": ids["eva"], "version": version, "may_consent": False}
    shown = await service.done("POST", f"{at}/transfer", clinic.owner, json=to_eva)
    assert (shown["client_id"], shown["client"]["name"], shown["version"]) == (ids["eva"], "Eva Moreira", version + 1)
    assert [(await service.done("GET", each, clinic.owner))["client"]["id"] for each in (here, gone, coming)] == [
        ids["ana"],
        ids["ana"],
        ids["eva"],
    ]
    waiting = (await service.done("GET", f"{base}/waitlist", clinic.owner, params={"limit": "200"}))["items"]
    assert [each["client"]["id"] for each in waiting if each["id"] == entry["id"]] == [ids["eva"]]
    items = (await service.done("GET", f"{at}/parties", clinic.owner))["items"]
    told = [(item["role"], item["client"]["name"], item["may_consent"], item["until"] is None) for item in items]
    assert told[0] == ("owner", "Eva Moreira", False, True)
    assert sorted(told[1:]) == [("co_owner", "Eva Moreira", True, False), ("owner", "Ana Moreira", True, False)]
    assert items[0]["since"] == items[1]["until"] == items[2]["until"]
    async with superuser(service.settings) as admin:
        [event] = await admin.fetch(
            "SELECT * FROM outbox WHERE kind = 'patient.transferred' AND subject_id = $1", ids["luna"]
        )
    assert (event["subject_version"], event["audience"]) == (version + 1, "clinic")


async def test_links_end(service: Service, clinic: Clinic) -> None:
    """Links that the former owner has open nothing any more."""
    ids = clinic.ids
    nobody: dict[str, str] = {}
    seen = f"/portal/bookings/{ids['see_token']}"
    assert (await service.ask("GET", seen, nobody)).status_code == 200
    at = f"/clinics/{clinic.slug}/patients/{ids['patient_id']}"
    await service.done("POST", f"{at}/transfer", clinic.owner, json={"client_id": ids["eva"]})
    assert (await service.ask("GET", seen, nobody)).status_code == 404
    assert (await service.ask("POST", f"/portal/bookings/{ids['cancel_token']}/cancel", nobody)).status_code == 404
    assert (await service.ask("GET", f"/portal/offers/{ids['offer_token']}", nobody)).status_code == 404


async def test_refused(service: Service, clinic: Clinic) -> None:
    """A transfer to the owner, to nobody, to who has died, or of what has changed is refused, and changes nothing."""
    ids = clinic.ids
    at = f"/clinics/{clinic.slug}/patients/{ids['luna']}"
    await service.done("POST", f"/clinics/{clinic.slug}/clients/{ids['client_id']}/deceased", clinic.owner)
    for body, status, code in (
        ({"client_id": ids["ana"]}, 422, "invalid"),
        ({"client_id": ids["luna"]}, 404, "not_found"),
        ({"client_id": ids["client_id"]}, 409, "client_deceased"),
        ({"client_id": ids["eva"], "version": 99}, 409, "stale_version"),
    ):
        answer = await service.ask("POST", f"{at}/transfer", clinic.owner, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    shown = await service.done("GET", at, clinic.owner)
    assert (shown["client_id"], shown["version"]) == (ids["ana"], 1)


async def test_one_owner(service: Service, clinic: Clinic) -> None:
    """However many transfers come at once, there is one owner, and each ownership begins where the one before ended."""
    ids = clinic.ids
    at = f"/clinics/{clinic.slug}/patients/{ids['luna']}"
    for _ in range(5):
        answers = await asyncio.gather(
            *(
                service.ask("POST", f"{at}/transfer", clinic.owner, json={"client_id": ids[client]})
                for client in ("ana", "eva", "client_id", "other_client_id")
            )
        )
        found = Counter(answer.status_code for answer in answers)
        assert set(found) <= {200, 422}, [answer.text for answer in answers]
        assert len(await _owners(service, ids["luna"])) == 1
    async with superuser(service.settings) as admin:
        rows = await admin.fetch(
            "SELECT since, until FROM parties WHERE patient_id = $1 AND role = 'owner' ORDER BY since, until",
            UUID(ids["luna"]),
        )
    assert [row["until"] for row in rows] == [*(row["since"] for row in rows[1:]), None]


async def test_booked_meanwhile(service: Service, clinic: Clinic) -> None:
    """A visit that is booked in the moment of a transfer is the new owner's."""
    base, ids = f"/clinics/{clinic.slug}", clinic.ids
    at = f"{base}/patients/{ids['luna']}"
    for turn in range(6):
        new = ids["eva" if turn % 2 == 0 else "ana"]
        answers = await asyncio.gather(
            *(
                service.ask(
                    "POST", f"{base}/appointments", clinic.owner, json=clinic.visit() | {"patient_id": ids["luna"]}
                )
                for _ in range(3)
            ),
            service.ask("POST", f"{at}/transfer", clinic.owner, json={"client_id": new}),
        )
        assert [answer.status_code for answer in answers] == [201, 201, 201, 200], [answer.text for answer in answers]
        async with superuser(service.settings) as admin:
            theirs = await admin.fetch("SELECT DISTINCT client_id FROM appointments WHERE patient_id = $1", ids["luna"])
        assert [str(row["client_id"]) for row in theirs] == [new]
