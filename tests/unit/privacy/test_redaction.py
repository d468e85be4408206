"""A person is cut out of what is kept for others, and nothing else is."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.privacy.erasure_ports import ERASED, Person
from coravet.core.privacy.redaction import cutter, sought, without

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
        ("Zoi\u200bla Quim\u200dbiurco llamó", f"{ERASED} llamó"),
        ("vino ZoilaQuimbiurco", f"vino {ERASED}"),
        ("vino zoilamaría", f"vino {ERASED}"),
        ("RUC 1714307103-002 y 1714307103004", f"RUC {ERASED} y {ERASED}"),
        ("1714307103 250 mg", f"{ERASED} 250 mg"),
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


COMMON = Person(names=[("Dolores Rosa", "Sal")], documents=[], phones=["+59323456789"], others=[])


@pytest.mark.parametrize(
    "text",
    [
        "Dolores abdominales, mucosas rosa pálido; dieta sin sal",
        "Vómito. Dolores al palpar. Sal: nada",
        "PACIENTE CON DOLORES ABDOMINALES",
        "tel 04 345 6789, (04) 345-6789, 13456789",
        "un rasgo\nRosa en mucosas",
    ],
)
def test_words_of_notes(text: str) -> None:
    """A name that is a word of notes as well stays where nothing tells that it is a name; so does another's number."""
    assert cutter(COMMON)(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Refiere Dolores que come", f"Refiere {ERASED} que come"),
        ("la sra. rosa llamó", f"la sra. {ERASED} llamó"),
        ("Propietaria: dolores", f"Propietaria: {ERASED}"),
        ("dolores rosa llamó", f"{ERASED} llamó"),
        ("habla con ROSA mañana", f"habla con {ERASED} mañana"),
        ("Dolores Sal, tel 345-6789", f"{ERASED}, tel {ERASED}"),
        ("tel 02 345 6789", f"tel {ERASED}"),
    ],
)
def test_names_among_words(text: str, left: str) -> None:
    """It goes with a title before it, another of the person's names beside it, or a capital within a sentence."""
    assert cutter(COMMON)(text) == left


def test_two_letters() -> None:
    """A name of two letters goes as a name among words does."""
    cut = cutter(Person([("Li", "Wu")], [], [], []))
    assert (
        cut("Dice Li que la sra. wu viene; liwu, LI, li") == f"Dice {ERASED} que la sra. {ERASED} viene; liwu, LI, li"
    )


def test_not_alone() -> None:
    """Where only the whole is cut, single names, places and single words stay; numbers and mail addresses go."""
    person = Person(
        PERSON.names, PERSON.documents, PERSON.phones, PERSON.others, ["Soila", "Soila Vera", "02 345 6780"]
    )
    cut = cutter(person, alone=False)
    stays = "Zoila, O'Brien, Av. Quito 123 y Loja, Soila"
    assert cut(stays) == stays
    goes = "Quimbiurco Zoila; Soila Vera; 0991234567; 1714307103; 02345-6780; zq@correo.test"
    assert cut(goes) == "; ".join([ERASED] * 6)
    for each in goes.split(";"):
        bare = re.sub(r"[\W_]", "", each.casefold())
        assert [word for word in sought(person) if word in bare], each


def test_also() -> None:
    """What whoever erases names besides goes wherever it stands, numbers however they are parted."""
    cut = cutter(Person([], [], [], [], ["Soila", "098 765 4321"]))
    assert cut("soila, +593 98 765-4321, 0987654321") == f"{ERASED}"


def test_namesake() -> None:
    """A whole name that is another's, too, is none to look for among others."""
    left = without(PERSON, [("Zoila", "Quimbiurco Vera")])
    assert (left.names, left.phones) == ([], PERSON.phones)
    assert without(PERSON, [("Zoila", "Vera")]) == PERSON


@pytest.mark.parametrize("run", ["-" * 60000, " " * 60000, "0 " * 30000, "Zoila " * 10000, "dolores. " * 7000])
def test_in_time_by_length(run: str) -> None:
    """No text takes longer than its length allows."""
    began = time.process_time()
    for person in (PERSON, COMMON):
        cutter(person)(run)
    assert time.process_time() - began < 3


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


@given(st.text(alphabet="bcdfg .,-2468\n", max_size=80))
def test_strangers_text(text: str) -> None:
    """A text without any of the person's words stays as it is."""
    assert CUT(text) == text
