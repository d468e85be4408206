"""What is refused, normalised or warned of when a client is registered."""

from typing import Any

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.patients.clients import check_client

NUMBERS = EcuadorNumbers()


def bad(**given: Any) -> dict[str, str]:
    return {error.pointer: error.code for error in check_client(given, NUMBERS).errors}


def test_fields_come_out_in_their_normal_form() -> None:
    """Blanks are folded and a phone becomes E.164."""
    checked = check_client(
        {
            "given_name": "  María   José ",
            "family_name": "Mendoza",
            "document_type": "cedula",
            "document_number": "2300000003",
            "phone": "099 123 4567",
            "email": None,
        },
        NUMBERS,
    )
    assert checked.errors == []
    assert checked.fields["given_name"] == "María José"
    assert checked.fields["phone"] == "+593991234567"


def test_every_bad_field_is_listed_at_once() -> None:
    """One answer names all that is wrong."""
    found = bad(
        given_name=" ", family_name="a\u200bb", document_type="cedula", document_number="2300000004", phone="12"
    )
    assert set(found) == {"/given_name", "/family_name", "/document_number", "/phone"}


def test_a_document_is_type_and_number() -> None:
    """Either alone is refused at the one that is missing."""
    assert bad(document_type="cedula", document_number=None) == {"/document_number": "required"}
    assert bad(document_type=None, document_number="2300000003") == {"/document_type": "required"}


def test_what_is_absent_is_not_looked_at() -> None:
    """A form can be checked though some of its fields could not be read."""
    assert bad(family_name="Mendoza") == {}


def test_a_company_number_that_fails_its_old_check_digit_is_a_warning() -> None:
    """1793213150001 is real and fails mod 11: the person may go on."""
    checked = check_client({"document_type": "ruc", "document_number": "1793213150001"}, NUMBERS)
    assert checked.errors == []
    assert [warning.pointer for warning in checked.warnings] == ["/document_number"]
