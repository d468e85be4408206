"""Members and invitations: who loses a place does not come back by an old invitation, and changes are told."""

import asyncio
from typing import Any

from tests.integration.http.service import Clinic, Headers, Service, bearer, superuser


async def _offer(service: Service, clinic: Clinic, email: str, role: str, who: Headers | None = None) -> str:
    offer = {"email": email, "roles": [role]}
    made = await service.done("POST", f"/clinics/{clinic.slug}/invitations", who or clinic.owner, json=offer)
    return str(made["token"])


async def _accept(service: Service, token: str, who: Headers) -> tuple[int, Any]:
    answer = await service.ask("POST", f"/invitations/{token}/accept", who)
    return answer.status_code, answer.json()


async def _email(service: Service, who: Headers) -> str:
    return str((await service.done("GET", "/session", who))["user"]["email"])


async def _change(service: Service, clinic: Clinic, role: str, change: Any) -> Any:
    at = f"/clinics/{clinic.slug}/members/{clinic.ids[f'{role}_member_id']}"
    return await service.done("PATCH", at, clinic.owner, json=change)


async def _told(service: Service, clinic: Clinic) -> list[tuple[str, int | None]]:
    """The events of the clinic's members, in their order."""
    async with superuser(service.settings) as admin:
        rows = await admin.fetch(
            "SELECT kind, subject_version FROM outbox WHERE clinic_id = $1 AND subject_type = 'member' ORDER BY id",
            clinic.id,
        )
    return [tuple(row) for row in rows]


async def test_no_way_back(service: Service) -> None:
    """Ending a manager's access closes the open invitations to them and by them, and no others; the list says so."""
    clinic = await service.open_clinic()
    manager = await service.join(clinic, "manager")
    friend = await service.people.create("friend")
    back = await _offer(service, clinic, await _email(service, manager), "vet", manager)
    backdoor = await _offer(service, clinic, friend.email, "manager", manager)
    other = await _offer(service, clinic, friend.email, "staff")
    await _change(service, clinic, "manager", {"active": False})
    signed_in = bearer(await service.people.sign_in(friend))
    for token, who in ((back, manager), (backdoor, signed_in)):
        status, problem = await _accept(service, token, who)
        assert (status, problem["code"]) == (409, "invitation_closed")
    assert (await _accept(service, other, signed_in))[0] == 200
    listed = await service.done("GET", f"/clinics/{clinic.slug}/invitations", clinic.owner)
    closed = [each["closed_at"] is not None for each in listed["items"] if each["accepted_at"] is None]
    assert closed == [True, True]


async def test_roles_taken(service: Service) -> None:
    """A manager who becomes staff keeps no invitation with more, neither to them nor by them."""
    clinic = await service.open_clinic()
    manager = await service.join(clinic, "manager")
    friend = await service.people.create("friend")
    back = await _offer(service, clinic, await _email(service, manager), "manager")
    backdoor = await _offer(service, clinic, friend.email, "manager", manager)
    await _change(service, clinic, "manager", {"roles": ["staff"]})
    for token, who in ((back, manager), (backdoor, bearer(await service.people.sign_in(friend)))):
        assert (await _accept(service, token, who))[1]["code"] == "invitation_closed"


async def test_roles_given(service: Service) -> None:
    """Who only gains a role keeps what was offered, and what they offered."""
    clinic = await service.open_clinic()
    manager = await service.join(clinic, "manager")
    friend = await service.people.create("friend")
    offered = await _offer(service, clinic, friend.email, "staff", manager)
    await _change(service, clinic, "manager", {"roles": ["manager", "vet"]})
    assert (await _accept(service, offered, bearer(await service.people.sign_in(friend))))[0] == 200


async def test_accepting_again(service: Service) -> None:
    """An active member who accepts gains roles, told as such; one who comes back joins; nothing new tells nothing."""
    clinic = await service.open_clinic()
    staff = await service.join(clinic, "staff")
    email = await _email(service, staff)
    before = await _told(service, clinic)
    for role in ("vet", "vet"):
        status, member = await _accept(service, await _offer(service, clinic, email, role), staff)
        assert (status, member["roles"], member["version"]) == (200, ["staff", "vet"], 2)
    await _change(service, clinic, "staff", {"active": False})
    _, member = await _accept(service, await _offer(service, clinic, email, "vet"), staff)
    assert (member["roles"], member["active"], member["version"]) == (["vet"], True, 4)
    told = (await _told(service, clinic))[len(before) :]
    assert told == [("member.roles_changed", 2), ("member.deactivated", 3), ("member.joined", 4)]


async def test_change_of_nothing(service: Service) -> None:
    """A change that changes nothing raises no version and tells nothing; a stale one is refused all the same."""
    clinic = await service.open_clinic()
    await service.join(clinic, "vet")
    before = await _told(service, clinic)
    changed = await _change(service, clinic, "vet", {"roles": ["vet"], "active": True, "registration_number": " "})
    assert (changed["version"], changed["registration_number"]) == (1, None)
    changed = await _change(service, clinic, "vet", {"registration_number": " 1006-2019 "})
    assert (changed["version"], changed["registration_number"]) == (2, "1006-2019")
    assert await _told(service, clinic) == before
    at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
    answer = await service.ask("PATCH", at, clinic.owner, json={"version": 1, "roles": ["vet"]})
    assert (answer.status_code, answer.json()["version"]) == (409, 2)


async def test_bad_fields(service: Service, clinic: Clinic) -> None:
    """What nobody can see is refused in a registration number and in an invited address."""
    at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
    answer = await service.ask("PATCH", at, clinic.owner, json={"registration_number": "1\u202e", "active": 1})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/active", "/registration_number"]
    offer = {"email": "a\u202e@correo.test", "roles": ["vet"]}
    answer = await service.ask("POST", f"/clinics/{clinic.slug}/invitations", clinic.owner, json=offer)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/email"]


async def test_at_once(service: Service) -> None:
    """Of two owners who leave at once one stays; changes of one member at once, without a version, all succeed."""
    clinic = await service.open_clinic()
    await service.join(clinic, "owner")
    owners = await service.done("GET", f"/clinics/{clinic.slug}/members", clinic.owner)
    ids = [owner["id"] for owner in owners["items"]]
    assert len(ids) == 2
    await service.join(clinic, "vet")
    at = f"/clinics/{clinic.slug}/members"
    vet = f"{at}/{clinic.ids['vet_member_id']}"
    changes = [service.ask("PATCH", vet, clinic.owner, json={"registration_number": str(n)}) for n in range(10)]
    assert {answer.status_code for answer in await asyncio.gather(*changes)} == {200}
    leaving = [service.ask("PATCH", f"{at}/{each}", clinic.owner, json={"active": False}) for each in ids]
    assert sorted(answer.status_code for answer in await asyncio.gather(*leaving)) in ([200, 404], [200, 409])


async def test_accepting_while_leaving(service: Service) -> None:
    """An invitation that is accepted while its member's access ends is closed or ended, never a place kept."""
    clinic = await service.open_clinic()
    staff = await service.join(clinic, "staff")
    token = await _offer(service, clinic, await _email(service, staff), "vet")
    at = f"/clinics/{clinic.slug}/members/{clinic.ids['staff_member_id']}"
    ended, accepted = await asyncio.gather(
        service.ask("PATCH", at, clinic.owner, json={"active": False}), _accept(service, token, staff)
    )
    assert ended.status_code == 200
    assert accepted[0] == 200 or accepted[1]["code"] == "invitation_closed"
    assert (await service.ask("GET", f"/clinics/{clinic.slug}", staff)).status_code == 404


async def test_beside_bookings(service: Service) -> None:
    """A new row of the clinic, which shares its key, does not wait for a change of members or of the clinic."""
    clinic = await service.open_clinic()
    await service.join(clinic, "vet")
    base = f"/clinics/{clinic.slug}"
    async with superuser(service.settings) as admin, admin.transaction():
        await admin.fetch("SELECT FROM clinics WHERE id = $1 FOR KEY SHARE", clinic.id)
        async with asyncio.timeout(30):
            await _change(service, clinic, "vet", {"registration_number": "1"})
            await service.done("PATCH", base, clinic.owner, json={"name": "Otra"})
