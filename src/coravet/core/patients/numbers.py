"""Numbers that identify or reach a person, as the country writes them: documents and phones."""

from typing import Protocol

import msgspec

from coravet.core.patients.model import DocumentType


class Checked(msgspec.Struct, frozen=True):
    """A number in its normal form. `warning` is a sentence where it looks wrong and yet may be right."""

    value: str
    warning: str | None = None


class BadNumber(ValueError):
    """A number that cannot be right.

    Attributes:
        code: stable; clients route on it.
        detail: what is wrong and what to do, in a sentence that does not repeat the number.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Numbers(Protocol):
    """The conversation about what a country's numbers look like. Nothing leaves the process."""

    def document(self, kind: DocumentType, number: str) -> Checked:
        """A document's number without blanks and dashes.

        Raises:
            BadNumber: `<kind>_length`, `<kind>_format`, `<kind>_prefix`, `<kind>_check_digit` or `ruc_establishment`.
        """
        ...

    def phone(self, raw: str) -> Checked:
        """A phone number in any usual form, as E.164; without a country code it is the clinic's country's.

        Raises:
            BadNumber: `phone_format`, `phone_country` or `phone_impossible`.
        """
        ...
