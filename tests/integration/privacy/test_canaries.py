"""What is known of a person stands in the database, and nowhere else."""

from typing import Any

import pytest
from tests.integration.http.service import Service
from tests.integration.privacy.canaries import Canaries, pg_dump
from tests.integration.privacy.life import Life
from tests.unit.telemetry.parts import Written

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.settings import Settings


@pytest.fixture
async def lives(service: Service) -> tuple[Life, Life]:
    """The same person at two clinics: known by the same name and numbers, spoken of in other words."""
    same = Canaries("the same everywhere")
    person = {
        "given_name": same.word("given_name"),
        "family_name": same.word("family_name"),
        "document_type": "passport",
        "document_number": same.passport("document_number"),
        "phone": same.phone("phone"),
        "email": same.mail("email"),
    }
    found = []
    for name in ("borrada", "otra"):
        clinic = await service.equip(await service.open_clinic(name))
        await service.join(clinic, "vet")
        at = f"/clinics/{clinic.slug}/members/{clinic.ids['vet_member_id']}"
        await service.done("PATCH", at, clinic.owner, json={"registration_number": "TEST-0001"})
        canaries = Canaries(name)
        canaries.planted |= same.planted
        life = Life(service, clinic, canaries, person)
        await life.live()
        found.append(life)
    return found[0], found[1]


async def test_nobody_is_logged_or_reported(
    lives: tuple[Life, Life], talkative: Settings, logged: Written, envelopes: list[bytes]
) -> None:
    """A whole life leaves every canary in the database, and none in what is logged and reported of it, errors of ours
    that quote them included."""
    here, there = lives
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(EcuadorNumbers, "phone", _quoting)
        for life in lives:
            changed = {"phone": life.person["phone"], "address": life.canaries.text("unlucky")}
            at = f"/clinics/{life.clinic.slug}/clients/{life.ids['client']}"
            answer = await life.service.ask("PATCH", at, life.clinic.owner, json=changed)
            assert answer.status_code == 500
            del life.canaries.planted["unlucky"]
    dump = pg_dump(talkative)
    for life in (here, there):
        assert {each.canary for each in life.canaries.left_in_dump(dump)} == set(life.canaries.planted)
        assert life.canaries.left_in(logged.getvalue(), "logs") == []
        assert life.canaries.left_in(b"\n".join(envelopes).decode(), "reports") == []
    assert logged.getvalue().count('"request_failed"') >= 2
    assert sum(b'"exception"' in each for each in envelopes) >= 2
    assert sum(b'"transaction"' in each for each in envelopes) > 100


def _quoting(_: EcuadorNumbers, phone: str) -> Any:
    raise ValueError(f"nobody can be reached at {phone}")
