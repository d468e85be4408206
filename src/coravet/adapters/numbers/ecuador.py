"""Ecuador's numbers, by `python-stdnum` and `phonenumbers`.

What the Registro Civil and the SRI never issue is refused. Where the SRI itself has left its rule, as with the check
digit of companies (mod 11) since numbers such as 1793213150001, or a numbering plan may have grown, it is a warning.
"""

import re

import phonenumbers
from stdnum.ec import ci, ruc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.util import clean

from coravet.core.kernel.sentences import Sentence
from coravet.core.patients.model import DocumentType
from coravet.core.patients.numbers import BadNumber, Checked

_REGION = "EC"
_MOD_11 = "69"
"""Third digits of public bodies and companies."""

_WRONG: dict[type[ValidationError], str] = {
    InvalidLength: "length",
    InvalidFormat: "format",
    InvalidComponent: "prefix",
    InvalidChecksum: "check_digit",
}
_DETAILS = {
    "cedula_length": Sentence("A cédula has 10 digits, the first of which may be a 0."),
    "cedula_format": Sentence("A cédula consists of digits only."),
    "cedula_prefix": Sentence("A cédula begins with its province, 01 to 24, 30 or 50, and a third digit from 0 to 6."),
    "cedula_check_digit": Sentence("The last digit does not match the others. Compare it with the document."),
    "ruc_length": Sentence("A RUC has 13 digits, the first of which may be a 0."),
    "ruc_format": Sentence("A RUC consists of digits only."),
    "ruc_prefix": Sentence("A RUC begins with its province, 01 to 24, 30 or 50, and a third digit from 0 to 6, or 9."),
    "ruc_check_digit": Sentence("The first ten digits are no valid cédula. Compare them with the document."),
    "ruc_establishment": Sentence("A RUC ends with its establishment, from 001 on."),
    "passport_length": Sentence("A passport's number has 5 to 20 letters or digits."),
    "passport_format": Sentence("A passport's number consists of letters from A to Z and digits."),
    "phone_format": Sentence("Write one phone number in digits, without words or an extension."),
    "phone_country": Sentence("No country has this code. After + comes the country's code, such as +593."),
    "phone_impossible": Sentence(
        "It has too few or too many digits. Write it with its area code, a foreign one with + first."
    ),
}
_UNUSUAL_RUC = Sentence("The check digit does not match, as with some newer numbers. Compare it with the document.")
_UNUSUAL_PHONE = Sentence("No such number is known to be in use. Make sure that no digit is missing or wrong.")


class EcuadorNumbers:
    """`Numbers` as Ecuador writes them."""

    def document(self, kind: DocumentType, number: str) -> Checked:
        if kind == "cedula":
            return _cedula(number)
        if kind == "ruc":
            return _ruc(number)
        return _passport(number)

    def phone(self, raw: str) -> Checked:
        # The library would read letters as the keys of a phone, and find a number within a sentence.
        if any(character.isalpha() for character in raw):
            raise _bad("phone_format")
        try:
            number = phonenumbers.parse(raw, _REGION)
            value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            reads_back = phonenumbers.parse(value) == number
        except phonenumbers.NumberParseException as error:
            codes = {error.INVALID_COUNTRY_CODE: "phone_country", error.NOT_A_NUMBER: "phone_format"}
            raise _bad(codes.get(error.error_type, "phone_impossible")) from error
        if number.extension is not None:
            raise _bad("phone_format")
        # A number that is possible within its area only says nothing once the area is lost, and one with more zeros
        # than the trunk's would be another number each time it is read.
        possible = phonenumbers.is_possible_number_with_reason(number)
        if possible != phonenumbers.ValidationResult.IS_POSSIBLE or not reads_back:
            raise _bad("phone_impossible")
        return Checked(value, None if phonenumbers.is_valid_number(number) else _UNUSUAL_PHONE)


def _bad(code: str) -> BadNumber:
    return BadNumber(code, _DETAILS[code])


def _cedula(number: str) -> Checked:
    try:
        return Checked(ci.validate(number))
    except ValidationError as error:
        raise _bad(f"cedula_{_WRONG[type(error)]}") from error


def _ruc(number: str) -> Checked:
    value = ruc.compact(number)
    try:
        ruc.validate(value)
        warning = None
    except InvalidChecksum as error:
        if value[2] not in _MOD_11:
            raise _bad("ruc_check_digit") from error
        warning = _UNUSUAL_RUC
    except InvalidComponent as error:
        raise _bad("ruc_establishment" if value.endswith("000") else "ruc_prefix") from error
    except ValidationError as error:
        raise _bad(f"ruc_{_WRONG[type(error)]}") from error
    # The library lets 000 pass where a company's number happens to fulfil the rule of public bodies.
    if value.endswith("000"):
        raise _bad("ruc_establishment")
    return Checked(value, warning)


def _passport(number: str) -> Checked:
    value = clean(number, " -").strip()
    if not re.fullmatch("[A-Za-z0-9]*", value):
        raise _bad("passport_format")
    if not 5 <= len(value) <= 20:
        raise _bad("passport_length")
    return Checked(value.upper())
