"""Amounts and substances, as doses and prescriptions name them."""

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.text import clean

Amount = Annotated[float, Meta(gt=0, le=9_999_999_999, description="With three decimals at most.")]
Unit = Annotated[str, Meta(min_length=1, max_length=20, description="As people read it: tableta, ml, frasco.")]
THOUSANDTH = Decimal("0.001")


def check_amounts(fields: dict[str, Any], *names: str) -> list[FieldError]:
    """Bring amounts into the form in which they are kept; a bad one is finer than what is kept."""
    errors = []
    for name in names:
        if fields.get(name) is not None:
            # As text, so that 0.1 is a tenth and not the nearest binary fraction.
            amount = Decimal(str(fields[name]))
            fields[name] = amount.quantize(THOUSANDTH)
            if amount < THOUSANDTH:
                errors.append(FieldError(f"/{name}", "too_small", "It is below one thousandth. Check the comma."))
            elif amount != fields[name]:
                sentence = "It has more than three decimals. Round it yourself, or choose a smaller unit."
                errors.append(FieldError(f"/{name}", "too_precise", sentence))
    return errors


def check_substances(fields: dict[str, Any]) -> list[FieldError]:
    """Clean the names of active substances; a bad one is blank or cannot be text."""
    cleaned, errors = [], []
    for index, name in enumerate(fields.get("active_substances", ())):
        try:
            cleaned.append(clean(name))
        except ValueError as error:
            errors.append(FieldError(f"/active_substances/{index}", "not_text", str(error)))
            continue
        if not cleaned[-1]:
            errors.append(FieldError(f"/active_substances/{index}", "required", "It cannot be blank."))
    if "active_substances" in fields:
        fields["active_substances"] = cleaned
    return errors
