"""The register is replayed on a database that lacks what it tells: who is erased, who is left, and what is said."""

from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from structlog.testing import capture_logs
from tests.integration.http.conftest import service
from tests.integration.http.service import Clinic, Service, superuser

from coravet.adapters.apart.folder import FolderApart
from coravet.bootstrap import tell_of_restore
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.kernel.errors import Unavailable
from coravet.core.privacy.erase import RegisteredErasure
from coravet.core.privacy.replay import Replayed, replay_erasures, undone

__all__ = ["service"]


class Register:
    """A register of its own, for one clinic."""

    def __init__(self, service: Service, clinic: Clinic, folder: Path) -> None:
        self.service = service
        self.clinic = clinic
        self.book = folder / "erasures.jsonl"
        self.apart = FolderApart(folder, make=True)

    async def client(self, name: str) -> UUID:
        """Somebody whom the clinic knows."""
        person = {"given_name": name, "family_name": "Quimbiurco"}
        at = f"/clinics/{self.clinic.slug}/clients"
        return UUID((await self.service.done("POST", at, self.clinic.owner, json=person))["id"])

    async def merge(self, client: UUID, into: UUID) -> None:
        """Find that two are one."""
        at = f"/clinics/{self.clinic.slug}/clients/{into}/merge"
        await self.service.done("POST", at, self.clinic.owner, json={"merged_id": str(client)})

    async def tell(self, client: UUID, number: int, *merged: UUID, clinic: str | None = None) -> RegisteredErasure:
        """Register an erasure that this database lacks."""
        clinic_id = ClinicId(UUID(clinic or self.clinic.id))
        entry = RegisteredErasure(clinic_id, uuid4(), number, "client", client, [client, *merged], None, "0" * 64, [])
        await self.apart.append("erasures", msgspec.json.encode(entry))
        return entry

    async def replay(self) -> Replayed:
        works = self.service.application.works
        return await replay_erasures(works.begin, works.system_begin, SystemClock(), self.apart)

    async def undone(self) -> int:
        return await undone(self.service.application.works.system_begin, self.apart)

    async def numbers(self) -> dict[UUID, int]:
        """The erasures' numbers in this database, by client."""
        async with superuser(self.service.settings) as admin:
            rows = await admin.fetch(
                "SELECT subject_id, number FROM erasures WHERE clinic_id = $1", UUID(self.clinic.id)
            )
        return {row["subject_id"]: row["number"] for row in rows}


@pytest.fixture
async def register(service: Service, tmp_path: Path) -> Register:
    """A register without an entry."""
    return Register(service, await service.open_clinic("registro"), tmp_path / "apart")


async def test_who_was_erased_is_erased_again(register: Register) -> None:
    """Everybody in the register who is here, under the number of their certificate; nobody else, and nobody twice."""
    gone, stays = await register.client("Zoila"), await register.client("Rosa")
    entry = await register.tell(gone, 7)
    await register.tell(uuid4(), 8)
    await register.tell(stays, 9, clinic=str(uuid4()))
    assert await register.undone() == 1
    assert await register.replay() == Replayed(again=1, unknown=2)
    assert await register.numbers() == {entry.subject_id: 7}
    assert await register.replay() == Replayed(stood=1, unknown=2)
    assert await register.undone() == 0
    assert len(await register.apart.entries("erasures")) == 3


async def test_whoever_was_merged_later(register: Register) -> None:
    """In an older backup those who were merged are clients of their own: they are erased with the one they became; and
    whoever is merged already goes along."""
    one, later, before = [await register.client(name) for name in ("Zoila", "Soila", "Zoyla")]
    await register.merge(before, one)
    await register.tell(one, 3, later, before)
    assert await register.replay() == Replayed(again=1)
    numbers = await register.numbers()
    assert (set(numbers), numbers[one]) == ({one, later}, 3)
    assert await register.replay() == Replayed(stood=1)
    for client in (one, later, before):
        at = f"/clinics/{register.clinic.slug}/clients/{client}"
        assert "oila" not in (await register.service.ask("GET", at, register.clinic.owner)).text


async def test_who_is_another_here(register: Register) -> None:
    """Who was merged into somebody whom the register does not name is left and named: that merge was undone since."""
    gone, other = await register.client("Zoila"), await register.client("Rosa")
    await register.merge(gone, other)
    await register.tell(gone, 1)
    second = await register.client("Soila")
    await register.tell(second, 2)
    assert await register.replay() == Replayed(again=1, refused=[(1, "client_merged")])
    assert await register.numbers() == {second: 2}


async def test_a_number_that_was_given_out_again(register: Register) -> None:
    """An erasure that was never committed is done, too, and leaves its number to the one that was."""
    never, done, last = [await register.client(name) for name in ("Zoila", "Soila", "Zoyla")]
    await register.tell(never, 4)
    await register.tell(done, 4)
    await register.tell(last, 5)
    assert await register.replay() == Replayed(again=3)
    assert await register.numbers() == {done: 4, last: 5, never: 6}


async def test_the_last_entry_about_somebody_counts(register: Register) -> None:
    """Somebody who was registered, not committed, and erased later has the later certificate."""
    gone = await register.client("Zoila")
    await register.tell(gone, 1)
    later = await register.tell(gone, 2)
    assert await register.replay() == Replayed(again=1)
    async with superuser(register.service.settings) as admin:
        assert await admin.fetchval("SELECT id FROM erasures WHERE subject_id = $1", gone) == later.id


async def test_damage_stops_nobody_else(register: Register) -> None:
    """An entry that was changed is named by its number, also where its id is still one; the others are replayed."""
    first, second, third = [await register.client(name) for name in ("Zoila", "Soila", "Zoyla")]
    for number, client in enumerate((first, second, third), 1):
        await register.tell(client, number)
    text = register.book.read_text()
    register.book.write_text(text.replace(str(second), str(uuid4())))
    assert await register.replay() == Replayed(again=2, damaged=[2])
    assert set(await register.numbers()) == {first, third}


async def test_a_register_out_of_reach(register: Register, tmp_path: Path) -> None:
    """A register that cannot be read is not an empty one."""
    register.apart = FolderApart(tmp_path / "not mounted", make=False)
    with pytest.raises(Unavailable):
        await register.replay()
    with pytest.raises(Unavailable):
        await register.undone()


async def test_a_forgotten_replay_is_logged(register: Register) -> None:
    """A server that starts on a database with somebody in it who was erased logs an error, once, and without names."""
    settings = register.service.settings.model_copy(update={"kept_apart": register.book.parent})
    with capture_logs() as logs:
        await tell_of_restore(register.service.application.works, settings)
        assert not any(each["event"] == "register_not_replayed" for each in logs)
        await register.tell(await register.client("Zoila"), 1)
        await tell_of_restore(register.service.application.works, settings)
    [told] = [each for each in logs if each["event"] == "register_not_replayed"]
    assert (told["log_level"], told["lacking"]) == ("error", 1)
