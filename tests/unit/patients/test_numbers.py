import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.patients.model import DocumentType
from coravet.core.patients.numbers import BadNumber, Checked, Numbers

NUMBERS: Numbers = EcuadorNumbers()


def code_of(kind: DocumentType, number: str) -> str | None:
    """The code with which a document's number is refused, or None."""
    try:
        NUMBERS.document(kind, number)
    except BadNumber as error:
        return error.code
    return None


def mod_10(nine: str) -> str:
    """The tenth digit of a cédula: weights 2, 1, 2, …; a product above 9 loses 9; all together 0 mod 10."""
    products = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(nine)]
    return str(-sum(product - 9 if product > 9 else product for product in products) % 10)


def mod_11(digits: str, weights: tuple[int, ...]) -> int:
    """The check digit of a company or a public body; 10 is none."""
    return -sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11


digits = st.sampled_from("0123456789")
provinces = st.sampled_from([*(f"{number:02}" for number in range(1, 25)), "30", "50"])
foreign_provinces = st.sampled_from([f"{n:02}" for n in range(100) if not 1 <= n <= 24 and n not in {30, 50}])
six = st.text(digits, min_size=6, max_size=6)
cedulas = st.builds(
    lambda province, third, rest: province + third + rest, provinces, st.sampled_from("0123456"), six
).map(lambda nine: nine + mod_10(nine))
establishments = st.integers(1, 999).map(lambda number: f"{number:03}")


@given(cedulas, digits)
def test_one_check_digit(cedula: str, last: str) -> None:
    """Of the ten digits that may end a cédula one is right, and any other is refused."""
    assert code_of("cedula", cedula[:9] + last) == (None if last == cedula[9] else "cedula_check_digit")


@given(foreign_provinces, cedulas)
def test_provinces(province: str, cedula: str) -> None:
    """No cédula and no RUC begins with a province that there is not, be its check digit right."""
    nine = province + cedula[2:9]
    assert code_of("cedula", nine + mod_10(nine)) == "cedula_prefix"
    assert code_of("ruc", nine + mod_10(nine) + "001") == "ruc_prefix"


@given(provinces, st.sampled_from("789"), six)
def test_third_digit(province: str, third: str, rest: str) -> None:
    """A cédula's third digit is at most 6; a RUC's is that, or 9."""
    nine = province + third + rest
    assert code_of("cedula", nine + mod_10(nine)) == "cedula_prefix"
    assert code_of("ruc", nine + mod_10(nine) + "001") == (None if third == "9" else "ruc_prefix")


@given(cedulas, establishments)
def test_natural_person(cedula: str, establishment: str) -> None:
    """A person's RUC is their cédula and an establishment other than 000."""
    assert NUMBERS.document("ruc", cedula + establishment) == Checked(cedula + establishment)
    assert code_of("ruc", cedula + "000") == "ruc_establishment"


@given(cedulas.filter(lambda cedula: cedula[2] != "6"), digits, establishments)
def test_natural_person_needs_a_cedula(cedula: str, last: str, establishment: str) -> None:
    """A person's RUC whose first ten digits are no cédula is refused."""
    expected = None if last == cedula[9] else "ruc_check_digit"
    assert code_of("ruc", cedula[:9] + last + establishment) == expected


@given(provinces, six, digits, establishments)
def test_company(province: str, rest: str, last: str, establishment: str) -> None:
    """A company's RUC passes whatever its check digit, without a warning where that is right; never with 000."""
    ten = province + "9" + rest + last
    checked = NUMBERS.document("ruc", ten + establishment)
    assert checked.value == ten + establishment
    if int(last) == mod_11(ten[:9], (4, 3, 2, 7, 6, 5, 4, 3, 2)):
        assert checked.warning is None
    assert code_of("ruc", ten + "000") == "ruc_establishment"


@given(provinces, st.text(digits, min_size=5, max_size=5), digits, st.integers(1, 9999))
def test_public_body(province: str, rest: str, last: str, establishment: int) -> None:
    """A public body's RUC passes whatever its check digit at the ninth place, without a warning where that is right."""
    nine = province + "6" + rest + last
    number = f"{nine}{establishment:04}"
    if number.endswith("000"):
        assert code_of("ruc", number) == "ruc_establishment"
        return
    checked = NUMBERS.document("ruc", number)
    right = int(last) == mod_11(nine[:8], (3, 2, 7, 6, 5, 4, 3, 2)) or number[9] == mod_10(nine)
    assert (checked.warning is None) == right


@pytest.mark.parametrize(
    ("kind", "number", "value", "warned"),
    [
        ("cedula", "1714307103", "1714307103", False),
        ("cedula", " 171430710-3 ", "1714307103", False),
        ("cedula", "2300000003", "2300000003", False),
        ("ruc", "1714307103001", "1714307103001", False),
        ("ruc", "1792060346-001", "1792060346001", False),
        ("ruc", "1793213150001", "1793213150001", True),
        ("ruc", "1760001550001", "1760001550001", False),
        ("ruc", "1760001560001", "1760001560001", True),
        ("passport", "a1234567", "A1234567", False),
        ("passport", " AB-123 456 ", "AB123456", False),
        ("passport", "12345", "12345", False),
        ("passport", "A" * 20, "A" * 20, False),
    ],
)
def test_documents(kind: DocumentType, number: str, value: str, warned: bool) -> None:
    """Documents lose blanks and dashes; a company or public body off its check digit is a warning."""
    checked = NUMBERS.document(kind, number)
    assert checked.value == value
    assert (checked.warning is not None) == warned


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        ("cedula", "1714307104", "cedula_check_digit"),
        ("cedula", "171430710", "cedula_length"),
        ("cedula", "17143071030", "cedula_length"),
        ("cedula", "", "cedula_length"),
        ("cedula", "171430710X", "cedula_format"),
        ("cedula", "\u0661714307103", "cedula_format"),
        ("cedula", "2514307103", "cedula_prefix"),
        ("cedula", "1774307103", "cedula_prefix"),
        ("ruc", "1714307103", "ruc_length"),
        ("ruc", "17143071030010", "ruc_length"),
        ("ruc", "171430710300A", "ruc_format"),
        ("ruc", "1714307104001", "ruc_check_digit"),
        ("ruc", "1714307103000", "ruc_establishment"),
        ("ruc", "1792060346000", "ruc_establishment"),
        ("ruc", "1760001550000", "ruc_establishment"),
        ("ruc", "2592060346001", "ruc_prefix"),
        ("ruc", "1782060346001", "ruc_prefix"),
        ("passport", "A123", "passport_length"),
        ("passport", "A" * 21, "passport_length"),
        ("passport", "", "passport_length"),
        ("passport", "Ñ1234567", "passport_format"),
        ("passport", "A1234/67", "passport_format"),
        ("passport", "A1234ß7", "passport_format"),
    ],
)
def test_bad_documents(kind: DocumentType, number: str, code: str) -> None:
    """A number that cannot be right is refused by a code, with a sentence that does not repeat the number."""
    with pytest.raises(BadNumber) as caught:
        NUMBERS.document(kind, number)
    assert caught.value.code == code
    assert caught.value.detail.endswith(".")
    assert not number or number not in caught.value.detail


@given(st.sampled_from(["cedula", "ruc", "passport"]), st.text(max_size=30))
def test_any_text_as_a_document(kind: DocumentType, text: str) -> None:
    """Whatever is typed, a document's number is either refused by a code of its kind, or normal and accepted again."""
    code = code_of(kind, text)
    if code is not None:
        assert code.startswith(f"{kind}_")
        return
    checked = NUMBERS.document(kind, text)
    assert checked.value.isascii()
    assert NUMBERS.document(kind, checked.value) == checked


@pytest.mark.parametrize(
    ("raw", "value", "warned"),
    [
        ("0991234567", "+593991234567", False),
        ("099 123 4567", "+593991234567", False),
        ("+593 99-123-4567", "+593991234567", False),
        ("+593 0 99 123 4567", "+593991234567", False),
        ("00593 99 123 4567", "+593991234567", False),
        ("593991234567", "+593991234567", False),
        ("\u202a+593\u00a099\u2011123\u20114567\u202c", "+593991234567", False),
        ("(02) 234-5678", "+59322345678", False),
        ("072345678", "+59372345678", False),
        ("+57 300 1234567", "+573001234567", False),
        ("0057 300 1234567", "+573001234567", False),
        ("+1 202 555 0123", "+12025550123", False),
        ("0891234567", "+593891234567", True),
        ("082345678", "+59382345678", True),
        ("099123456", "+59399123456", True),
    ],
)
def test_phones(raw: str, value: str, warned: bool) -> None:
    """A phone in any usual form is E.164 without its trunk 0; one that nobody is known to have is a warning."""
    checked = NUMBERS.phone(raw)
    assert checked.value == value
    assert (checked.warning is not None) == warned


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "phone_format"),
        ("+", "phone_format"),
        ("no tiene", "phone_format"),
        ("Ana 0991234567", "phone_format"),
        ("099ABCDEFG", "phone_format"),
        ("022345678 ext 12", "phone_format"),
        ("022345678 #12", "phone_format"),
        ("0991234567;0987654321", "phone_format"),
        ("+999 12345678", "phone_country"),
        ("911", "phone_impossible"),
        ("2345678", "phone_impossible"),
        ("+5932345678", "phone_impossible"),
        ("099123456789012", "phone_impossible"),
        ("0991234567 / 0987654321", "phone_impossible"),
        ("000587967884", "phone_impossible"),
        ("0" * 300, "phone_impossible"),
    ],
)
def test_bad_phones(raw: str, code: str) -> None:
    """What cannot be reached as it is written is refused by a code: words, extensions, a lost area, two numbers."""
    with pytest.raises(BadNumber) as caught:
        NUMBERS.phone(raw)
    assert caught.value.code == code
    assert not raw or raw not in caught.value.detail


@given(st.text(st.sampled_from("0123456789+-() .#;,/x٣"), max_size=20))
def test_any_text_as_a_phone(raw: str) -> None:
    """Whatever is typed, a phone is either refused as what it is, or E.164 and accepted again."""
    try:
        checked = NUMBERS.phone(raw)
    except BadNumber:
        return
    assert re.fullmatch(r"\+[1-9][0-9]{4,16}", checked.value)
    assert NUMBERS.phone(checked.value) == checked
