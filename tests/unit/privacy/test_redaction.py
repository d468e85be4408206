"""A person is cut out of what is kept for others, and nothing else is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.privacy.erasure_ports import ERASED, Person
from coravet.core.privacy.redaction import cutter

PERSON = Person(
    names=[("Zoila María", "Quimbiurco O'Brien")],
    documents=["1714307103"],
    phones=["+593991234567"],
    others=["zq@correo.test", "Av. Quito 123 y Loja"],
)
CUT = cutter(PERSON)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("La Sra. ZOILA QUIMBIURCO llamó", f"La Sra. {ERASED} llamó"),
        ("Quimbiurco, Zoila", ERASED),
        ("zóila maria", ERASED),
        ("Zo\u0301ila M.", f"{ERASED} M."),
        ("los O\u2019Brien y OBRIEN", f"los {ERASED} y {ERASED}"),
        ("tel 099 123 4567.", f"tel {ERASED}."),
        ("tel +593 (99) 123-4567", f"tel {ERASED}"),
        ("tel 00593991234567x", f"tel {ERASED}x"),
        ("pesa 12.5 0991234567", f"pesa 12.5 {ERASED}"),
        ("CI 171430710-3 o RUC 1714307103001", f"CI {ERASED} o RUC {ERASED}"),
        ("mail ZQ@Correo.test.", f"mail {ERASED}."),
        ("vive en av Quito, 123 y LOJA cerca", f"vive en {ERASED} cerca"),
    ],
)
def test_cut(text: str, left: str) -> None:
    """Names go whatever their accents and case, numbers whatever parts their digits."""
    assert CUT(text) == left


@pytest.mark.parametrize(
    "text", ["", "Zoilas", "Mariana", "10991234567", "09912345678", "17143071031", "azq@correo.test", "de la"]
)
def test_kept(text: str) -> None:
    """What only resembles the person stays."""
    assert CUT(text) == text


def test_spared() -> None:
    """What another is called, too, goes only as part of the person's whole name."""
    cut = cutter(PERSON, ["Aurelio Quimbiurco", "María"])
    assert cut("Aurelio Quimbiurco con María") == "Aurelio Quimbiurco con María"
    assert cut("Zoila Quimbiurco y Aurelio Quimbiurco") == f"{ERASED} y Aurelio Quimbiurco"
    assert cut("Zoila con Aurelio") == f"{ERASED} con Aurelio"


def test_nobody() -> None:
    """Of whom nothing is known, nothing is cut out."""
    assert cutter(Person([], [], [], []))("Zoila 0991234567") == "Zoila 0991234567"


@given(st.text(alphabet="Zoila QUIMBIURCOqé0991234567 ,.\n+-[]%_\\", max_size=60))
def test_all_else_stays(text: str) -> None:
    """What is left stands in its order between what was cut out, which the database demands of an erasure."""
    left = CUT(text)
    pattern = "(?s:.*)".join(map(re.escape, left.split(ERASED)))
    assert re.fullmatch(pattern, text)
    assert CUT(left) == left
