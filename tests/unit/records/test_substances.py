"""Active substances, by whatever name."""

import pytest

from coravet.core.records.allergies import allergy_warnings
from coravet.core.records.substances import _BRANDS, _CLASS_OF, akin, includes, substances_in, unknown_in
from coravet.core.records.treatment_ports import KnownAllergy


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Amoxicilina + Ácido Clavulánico 250 mg", {"amoxicillin", "clavulanic acid"}),
        ("amoxicillin/clavulanate", {"amoxicillin", "clavulanic acid"}),
        ("Penicilina G procaínica", {"benzylpenicillin"}),
        ("PENICILINA", {"penicillins"}),
        ("Beta-lactámicos", {"beta_lactams"}),
        ("ácido acetilsalicílico", {"acetylsalicylic acid"}),
        ("Febantel, pirantel y prazicuantel", {"febantel", "pyrantel", "praziquantel"}),
        ("Synulox 250 mg", {"amoxicillin", "clavulanic acid"}),
        ("NexGard Spectra", {"afoxolaner", "milbemycin oxime"}),
        ("polen", set()),
        ("", set()),
    ],
)
def test_names(text: str, keys: set[str]) -> None:
    """Spanish and English names are one substance; the longest name wins, and what is not known names nothing."""
    assert substances_in(text) == keys


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Prednisolona + cefotaxima", []),
        ("Prednisolona + Misterina 5 mg", ["Misterina 5 mg"]),
        ("Meloxicam 1,5 mg/ml", []),
        ("Amoxicilina 250 mg/5 ml", []),
        ("Jarabe casero", ["Jarabe casero"]),
        ("Timentin", ["Timentin"]),
    ],
)
def test_unknown_parts(text: str, parts: list[str]) -> None:
    """What stands between signs is looked at by itself; an amount is no substance."""
    assert unknown_in(text) == parts


def test_brands() -> None:
    """What a brand is said to hold is known by itself."""
    for brand, keys in _BRANDS.items():
        assert substances_in(brand) == set(keys.split(", ")) <= _CLASS_OF.keys()


def test_stems() -> None:
    """A name that ends or begins as its class does belongs to it; what only sounds alike does not."""
    assert akin("ticarcillin", "mezlocilina")
    assert substances_in("Cefalotina, azlocilina") == {"cefalotina", "azlocilina"}
    assert includes("cephalosporins", "cefalotina")
    assert includes("sulfonamides", "sulfaquinoxalina")
    assert substances_in("Cefalea, sulfato de magnesio, cefálico") == frozenset()


def test_kinship() -> None:
    """A class holds its substances; penicillins and cephalosporins are kin, and what has no class is kin of nothing."""
    assert includes("penicillins", "amoxicillin")
    assert includes("beta_lactams", "cefalexin")
    assert not includes("amoxicillin", "ampicillin")
    assert akin("amoxicillin", "cefalexin")
    assert not akin("ketamine", "propofol")
    assert not akin("amoxicillin", "gentamicin")


def _codes(allergy: str, *given: str) -> list[str]:
    known = [KnownAllergy(allergy, "severe")]
    return [warning.code for warning in allergy_warnings("/items/0/drug", given, known)]


@pytest.mark.parametrize(
    ("allergy", "given", "codes"),
    [
        ("Amoxicilina", "Amoxicillin 250 mg", ["allergy"]),
        ("Penicilinas", "Amoxicilina", ["allergy"]),
        ("Amoxicilina", "Ampicilina", ["allergy_akin"]),
        ("Penicilina", "Cefalexina", ["allergy_akin"]),
        ("AINEs", "Meloxicam 1,5 mg/ml", ["allergy"]),
        ("Meloxicam", "Doxiciclina", []),
        ("Clorhexidina", "Shampoo de clorhexidina", ["allergy"]),
        ("Vacuna antirrábica", "Vacuna Antirrabica", ["allergy"]),
        ("polen", "Polenta", []),
        ("Sulfas", "sulfametazina", ["allergy"]),
        ("Cefalosporinas", "cefuroxima", ["allergy"]),
        ("Penicilina", "Piperacilina tazobactam", ["allergy"]),
        ("Penicilina", "ticarcilina", ["allergy"]),
        ("Cefalosporinas", "Prednisolona + cefotaxima", ["allergy"]),
        ("Amoxicilina", "cefalotina", ["allergy_akin"]),
        ("Rimadyl", "Carprofeno 50 mg", ["allergy"]),
        ("Penicilina", "Convenia", ["allergy_akin"]),
    ],
)
def test_warnings(allergy: str, given: str, codes: list[str]) -> None:
    """The substance or one of its class warns, kin warn otherwise; what nobody knows is compared by its words."""
    assert _codes(allergy, given) == codes


def test_one_warning_an_allergy() -> None:
    """However many names of a product speak of it, an allergy is told once, where the product stands."""
    assert _codes("Amoxicilina", "Amoxicilina 250 mg", "amoxicilina", "ácido clavulánico") == ["allergy"]
