"""How often guests may ask: by address, clinic and phone, over all processes, and with nobody's address kept."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from tests.integration.http.service import Clinic, Service, running, superuser
from tests.integration.parts.people import People
from tests.integration.portal.parts import book, hold, rows, stranger

from coravet.settings import Settings

PROXY = {"trusted_proxies": ("127.0.0.1",)}  # from there the tests ask


@asynccontextmanager
async def _limited(settings: Settings, people: People, **limits: Any) -> AsyncIterator[Service]:
    """The application with these limits, in another process, as it were."""
    async with running(settings.model_copy(update=PROXY | limits), people) as found:
        yield found


@pytest.fixture(autouse=True)
async def _afresh(service: Service) -> None:
    """Nobody was counted yet."""
    async with superuser(service.settings) as admin:
        await admin.execute("DELETE FROM rate_limits")


def _at(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def _book(service: Service, clinic: Clinic, address: str, phone: str | None = None) -> httpx.Response:
    body = clinic.guest(client=stranger() if phone is None else stranger(phone=phone))
    return await book(service, clinic, body, headers=_at(address))


def _refused(answer: httpx.Response, at_most: int) -> bool:
    assert answer.json()["code"] == "rate_limited"
    assert 0 < int(answer.headers["retry-after"]) <= at_most
    return answer.status_code == 429


async def test_address(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """An address may hold and book so often, in whatever clinic and through whichever process; another may go on, and
    so may the first once its time is over. What is refused stores nothing.
    """
    other = await service.equip(await service.open_clinic("vecina"))
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(_limited(settings, people, guests_per_address="3/minute")) for _ in range(2)
        ]
        assert (await _book(one, clinic, "192.0.2.1")).status_code == 201
        assert (await _book(two, other, "192.0.2.1")).status_code == 201
        wanted = {"service_id": clinic.ids["service_id"], "starts_at": clinic.slot()}
        at = f"/portal/clinics/{clinic.slug}/holds"
        assert (await one.ask("POST", at, json=wanted, headers=_at("192.0.2.1"))).status_code == 201
        before = await rows(service, clinic, "appointments")
        assert _refused(await _book(two, clinic, "192.0.2.1"), 60)
        assert _refused(await one.ask("POST", at, json=wanted, headers=_at("192.0.2.1")), 60)
        assert await rows(service, clinic, "appointments") == before
        assert (await _book(two, clinic, "192.0.2.2")).status_code == 201
        async with superuser(settings) as admin:
            await admin.execute("UPDATE rate_limits SET expires_at = now()")
        assert (await _book(two, clinic, "192.0.2.1")).status_code == 201


async def test_line(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """Whoever has an IPv6 line has all its addresses, and is counted as one."""
    async with _limited(settings, people, guests_per_address="1/hour") as limited:
        assert (await _book(limited, clinic, "2001:db8:1:2::1")).status_code == 201
        assert _refused(await _book(limited, clinic, "2001:db8:1:2:ffff::9"), 3600)
        assert (await _book(limited, clinic, "2001:db8:1:3::1")).status_code == 201


async def test_clinic_and_phone(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """From many addresses, too, a clinic is booked only so often, and with one phone, however it is written."""
    async with _limited(settings, people, guests_per_clinic="4/hour", guests_per_phone="2/hour") as limited:
        other = await service.equip(await service.open_clinic("vecina"))
        for number, phone in enumerate(("0981112233", "+593 98 111 2233")):
            assert (await _book(limited, clinic, f"192.0.2.{number}", phone)).status_code == 201
        assert _refused(await _book(limited, clinic, "192.0.2.7", "593981112233"), 3600)
        assert (await _book(limited, other, "192.0.2.8", "0981112233")).status_code == 201
        assert (await _book(limited, clinic, "192.0.2.9")).status_code == 201
        assert _refused(await _book(limited, clinic, "192.0.2.10"), 3600)


async def test_reading(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """Looking is limited by address, each process for itself, without a statement more."""
    async with _limited(settings, people, guests_reading="2/hour") as limited:
        at = f"/portal/clinics/{clinic.slug}/availability"
        params = {"service": clinic.ids["service_id"]}
        answers = [await limited.ask("GET", at, params=params, headers=_at("192.0.2.1")) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert _refused(answers[-1], 3600)
        assert (await limited.ask("GET", at, params=params, headers=_at("192.0.2.2"))).status_code == 200
    async with superuser(settings) as admin:
        assert await admin.fetchval("SELECT count(*) FROM rate_limits") == 0


async def test_untrusted(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """What anybody but a trusted proxy says of addresses is not believed, nor what was said before it came there."""
    async with _limited(settings, people, guests_per_address="1/hour", trusted_proxies=()) as limited:
        assert (await _book(limited, clinic, "192.0.2.1")).status_code == 201
        assert _refused(await _book(limited, clinic, "192.0.2.2"), 3600)
    async with _limited(settings, people, guests_per_address="1/hour") as limited:
        assert (await _book(limited, clinic, "198.51.100.1, 192.0.2.5")).status_code == 201
        assert _refused(await _book(limited, clinic, "198.51.100.2, 192.0.2.5"), 3600)


async def test_nobody_is_kept(service: Service, clinic: Clinic, settings: Settings, people: People) -> None:
    """Neither address nor phone is stored where attempts are counted."""
    on = {"guests_per_address": "9/hour", "guests_per_clinic": "9/hour", "guests_per_phone": "9/hour"}
    async with _limited(settings, people, **on) as limited:
        assert (await _book(limited, clinic, "192.0.2.1", "0981112233")).status_code == 201
        assert (await hold(limited, clinic, clinic.slot())).status_code == 201
    async with superuser(settings) as admin:
        kept = await admin.fetch("SELECT * FROM rate_limits")
    assert len(kept) == 4  # two addresses, the clinic and the phone
    assert {len(row["key"]) for row in kept} == {32}
