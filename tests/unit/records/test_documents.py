"""What makes a document verifiable: its token, and the hash of what it shows."""

import re
from uuid import UUID

import msgspec

from coravet.core.records.documents import Seal, content_of
from coravet.core.records.sheets import PatientOnSheet, VaccinationCard

PAGES = "https://clinica.example/portal/documents"
ONE, TWO = UUID(int=1), UUID(int=2)
CARD = VaccinationCard(clinic="Clínica", patient=PatientOnSheet(name="Luna", species="cat"))


def test_token() -> None:
    """A document's token is always the same, another document's is another, and another key makes others."""
    seal = Seal(b"k" * 32, PAGES)
    token = seal.token(ONE)
    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", token)
    assert token == Seal(b"k" * 32, "elsewhere").token(ONE)
    assert len({token, seal.token(TWO), Seal(b"l" * 32, PAGES).token(ONE)}) == 3
    assert seal.address(ONE) == f"{PAGES}/{token}"


def test_content() -> None:
    """What shows the same has the same hash; whatever changes on the sheet changes it."""
    assert content_of(CARD) == content_of(msgspec.structs.replace(CARD))
    renamed = PatientOnSheet(name="Luna Nueva", species="cat")
    changed = [msgspec.structs.replace(CARD, clinic="Otra"), msgspec.structs.replace(CARD, patient=renamed)]
    assert len({content_of(CARD), *map(content_of, changed)}) == 3
