"""Those who handle requests are reminded, once for each reason, live and by mail."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from pydantic import SecretStr
from tests.integration.http.service import Clinic, Service, superuser
from tests.integration.messaging.scene import Hand
from tests.integration.messaging.servers import MailServer

from coravet.bootstrap import handlers
from coravet.core.kernel.actor import Actor, ClinicId, MemberId
from coravet.core.messaging.ports import NotDelivered
from coravet.core.privacy.ports import NotifyOfRequest
from coravet.core.privacy.reminders import remind_of_requests

DAY = timedelta(days=1)


@pytest.fixture
async def handled(service: Service) -> Clinic:
    """A clinic with a client, an owner, a manager, and staff who handle no requests."""
    made = await service.open_clinic("avisar")
    for role in ("manager", "staff"):
        await service.join(made, role)
    person = {"given_name": "Zoila", "family_name": "Quimbiurco"}
    found = await service.done("POST", f"/clinics/{made.slug}/clients", made.owner, json=person)
    made.ids["client_id"] = found["id"]
    return made


async def _open(service: Service, clinic: Clinic, right: str, **fields: Any) -> Any:
    body = {"right": right, "asked": "Mis datos", "client_id": clinic.ids["client_id"], **fields}
    return await service.done("POST", f"/clinics/{clinic.slug}/privacy/requests", clinic.owner, json=body)


async def _told(service: Service, request: Any) -> tuple[int, list[tuple[UUID, str]]]:
    """How often a stream was told of a request, and which mails wait, oldest first: to whom and why."""
    async with superuser(service.settings) as admin:
        events = await admin.fetchval(
            "SELECT count(*) FROM outbox WHERE subject_id = $1 AND kind = 'privacy.request_due'", UUID(request["id"])
        )
        jobs: list[asyncpg.Record] = await admin.fetch(
            "SELECT payload FROM jobs.pgqueuer WHERE entrypoint = 'privacy.notify'"
            " AND convert_from(payload, 'UTF8') LIKE $1 ORDER BY id",
            f"%{request['id']}%",
        )
    decode = msgspec.json.Decoder(NotifyOfRequest).decode
    return events, [(job.member_id, job.reason) for job in (decode(row["payload"]) for row in jobs)]


def _mailing(service: Service, port: int, clock: Hand) -> Any:
    """What does the mails' jobs, over a server on that port."""
    over = {"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"), "mail_from": "avisos@coravet.test"}
    settings = service.settings.model_copy(update=over)
    return handlers(service.application.works, settings, clock, service.application.studio)[NotifyOfRequest]


def _actor(clinic: Clinic) -> Actor:
    return Actor(clinic_id=ClinicId(UUID(clinic.id)), time_zone="America/Guayaquil", user_id=None)


async def test_once(service: Service, handled: Clinic) -> None:
    """However many workers ask at once, each reason is told once; what is closed is told of no more."""
    request = await _open(service, handled, "suspension")
    closed = await _open(service, handled, "suspension")
    at = f"/clinics/{handled.slug}/privacy/requests/{closed['id']}"
    await service.done("PATCH", at, handled.owner, json={"version": 1, "step": "withdraw"})
    clock = Hand(datetime.now(UTC) + DAY)
    begin = service.system_begin
    everybody = {UUID(handled.ids[f"{role}_member_id"]) for role in ("owner", "manager")}

    await asyncio.gather(*(remind_of_requests(begin, clock) for _ in range(5)))
    events, jobs = await _told(service, request)
    assert events == 1
    assert {member for member, _ in jobs} == everybody
    assert [reason for _, reason in jobs] == ["soon", "soon"]
    await remind_of_requests(begin, clock)
    assert (await _told(service, request))[0] == 1

    due = datetime.fromisoformat(f"{request['due_on']}T08:00:00-05:00")
    clock.at = due - timedelta(seconds=1)
    await remind_of_requests(begin, clock)
    assert (await _told(service, request))[0] == 1
    clock.at = due
    await asyncio.gather(*(remind_of_requests(begin, clock) for _ in range(5)))
    events, jobs = await _told(service, request)
    assert (events, [reason for _, reason in jobs[2:]]) == (2, ["due", "due"])
    clock.at = due + 30 * DAY
    await remind_of_requests(begin, clock)
    assert (await _told(service, request))[0] == 2
    assert await _told(service, closed) == (0, [])


async def test_handed_in_late(service: Service, handled: Clinic) -> None:
    """What was due before it was written down is told of once, as due."""
    request = await _open(service, handled, "access", received_at="2025-01-06T12:00:00Z")
    await remind_of_requests(service.system_begin, Hand(datetime.now(UTC)))
    events, jobs = await _told(service, request)
    assert (events, {reason for _, reason in jobs}) == (1, {"due"})


async def test_mail(service: Service, handled: Clinic, mails: MailServer) -> None:
    """The mail says by when and where, in Spanish and English, and nothing of who asks; twice it is the same mail."""
    clock = Hand(datetime.now(UTC))
    request = await _open(service, handled, "access", received_at="2025-06-02T15:00:00Z")
    job = NotifyOfRequest(
        ClinicId(UUID(handled.id)), UUID(request["id"]), MemberId(UUID(handled.ids["owner_member_id"])), "due"
    )
    mail = _mailing(service, mails.port, clock)
    for _ in range(2):
        await mail(job, _actor(handled))
    first, second = mails.mails
    assert first["Message-ID"] == second["Message-ID"]
    email = (await service.done("GET", "/session", handled.owner))["user"]["email"]
    assert first["To"] == email
    body = first.get_body()
    assert body is not None
    text = body.get_content()
    assert text.index("lunes 16 de junio de 2025") < text.index("Monday, June 16, 2025")
    assert f"/clinics/{handled.slug}/privacy/requests/{request['id']}" in text
    assert not {"Zoila", "Quimbiurco", "Mis datos"} & set(str(first).replace("\n", " ").split(" "))


async def test_no_mail(service: Service, handled: Clinic, mails: MailServer) -> None:
    """Nobody is mailed who handles no requests any more, nor of one that is closed; what fails is tried again."""
    clock = Hand(datetime.now(UTC))
    request = await _open(service, handled, "access")
    clinic_id, request_id = ClinicId(UUID(handled.id)), UUID(request["id"])
    manager = MemberId(UUID(handled.ids["manager_member_id"]))
    job = NotifyOfRequest(clinic_id, request_id, manager, "soon")
    with pytest.raises(NotDelivered):
        await _mailing(service, 9, clock)(job, _actor(handled))
    mail = _mailing(service, mails.port, clock)
    staff = NotifyOfRequest(clinic_id, request_id, MemberId(UUID(handled.ids["staff_member_id"])), "soon")
    await mail(staff, _actor(handled))
    at = f"/clinics/{handled.slug}"
    await service.done("PATCH", f"{at}/members/{manager}", handled.owner, json={"active": False})
    await mail(job, _actor(handled))
    owner = NotifyOfRequest(clinic_id, request_id, MemberId(UUID(handled.ids["owner_member_id"])), "soon")
    elsewhere = await service.open_clinic("otra")
    await mail(owner, _actor(elsewhere))
    withdrawn = {"version": 1, "step": "withdraw"}
    await service.done("PATCH", f"{at}/privacy/requests/{request_id}", handled.owner, json=withdrawn)
    await mail(owner, _actor(handled))
    assert mails.tried == 0
