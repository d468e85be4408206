"""What is measured in a visit: hard limits, ranges that warn, and sudden jumps of weight.

Nothing that can be so is refused: a range outside which a healthy resting adult seldom lies is told, not enforced.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import Sentence
from coravet.core.records.model import MucousMembranes
from coravet.core.records.ports import Chart
from coravet.core.tenancy.clinic_day import day_of

Kilograms = Annotated[float, Meta(gt=0, le=2000, description="Kilograms; kept to the gram.")]
GRAM = Decimal("0.001")

HEAVIEST: Mapping[str, int] = {
    "dog": 160,
    "cat": 25,
    "rabbit": 25,
    "bird": 160,
    "horse": 1600,
    "cow": 1800,
    "pig": 1200,
    "reptile": 1100,
    "other": 2000,
}
"""Kilograms that no animal of the species was known to exceed: more is a slip of the hand, such as a lost comma."""

USUAL: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "dog": {"temperature_c": (37.9, 39.9), "heart_rate": (60, 160), "respiratory_rate": (10, 34)},
    "cat": {"temperature_c": (37.8, 39.4), "heart_rate": (120, 220), "respiratory_rate": (16, 42)},
    "rabbit": {"temperature_c": (38.5, 40.1), "heart_rate": (130, 350), "respiratory_rate": (30, 60)},
    "horse": {"temperature_c": (37.2, 38.6), "heart_rate": (28, 48), "respiratory_rate": (8, 16)},
    "cow": {"temperature_c": (36.7, 39.3), "heart_rate": (48, 84), "respiratory_rate": (24, 50)},
    "pig": {"temperature_c": (38.4, 39.8), "heart_rate": (60, 120), "respiratory_rate": (10, 58)},
}
"""Resting adults: degrees Celsius, beats and breaths a minute.

After the Merck Veterinary Manual's reference guides (normal rectal temperatures, resting heart rates, resting
respiratory rates), widened where small breeds and the fright of a consulting room do so in the healthy. Birds, reptiles
and other animals differ too much among themselves to be judged by their class.
"""

SLOW_REFILL = 2.0
"""Seconds: capillaries of a healthy animal refill within them (Merck Veterinary Manual, physical examination)."""

BAD_MEMBRANES = frozenset({"pale", "white", "injected", "icteric", "cyanotic", "muddy"})
LOSS, GAIN = Decimal("0.10"), Decimal("0.20")
"""Shares of its weight that an adult does not lose or gain without a reason, or without a slip of the hand. A loss of
ten in a hundred is the usual measure of a clinically significant one."""

GROWTH = Decimal(1)
"""A growing animal may double its weight between visits, not more."""

GROWS = timedelta(days=365)
REMEMBERED = timedelta(days=180)
"""How long after it a weight is compared with; a dog that comes after years may have any."""


class Vitals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured; what is left out stays, null clears."""

    weight_kg: Kilograms | UnsetType | None = UNSET
    temperature_c: Annotated[float, Meta(ge=15, le=50)] | UnsetType | None = UNSET
    heart_rate: Annotated[int, Meta(ge=0, le=1500)] | UnsetType | None = UNSET
    respiratory_rate: Annotated[int, Meta(ge=0, le=600)] | UnsetType | None = UNSET
    body_condition: Annotated[int, Meta(ge=1, le=9)] | UnsetType | None = UNSET
    pain: Annotated[int, Meta(ge=0, le=10)] | UnsetType | None = UNSET
    mucous_membranes: MucousMembranes | UnsetType | None = UNSET
    capillary_refill_seconds: Annotated[float, Meta(ge=0, le=20)] | UnsetType | None = UNSET


def measured(given: Mapping[str, Any], species: str, at: str = "") -> tuple[dict[str, Any], list[FieldError]]:
    """Measured values as they are kept, and those that no animal of the species can have.

    Args:
        at: where the values stand in the body, as a JSON pointer.
    """
    fields, errors = dict(given), []
    for name, places in (
        ("weight_kg", GRAM),
        ("temperature_c", Decimal("0.1")),
        ("capillary_refill_seconds", Decimal("0.1")),
    ):
        if fields.get(name) is not None:
            fields[name] = Decimal(str(fields[name])).quantize(places)
    weight = fields.get("weight_kg")
    if weight is not None and not weight:
        errors.append(FieldError(f"{at}/weight_kg", "too_small", "The weight is below one gram. Check the comma."))
    elif weight is not None and weight > HEAVIEST[species]:
        sentence = Sentence(
            "No animal of this species weighs more than {most} kg. Check the comma.", most=HEAVIEST[species]
        )
        errors.append(FieldError(f"{at}/weight_kg", "too_large", sentence))
    return fields, errors


def unusual(
    values: Mapping[str, Any], chart: Chart, at: datetime, zone: ZoneInfo, pointer: str = ""
) -> list[FieldError]:
    """Warnings: what lies outside what is usual for the species, and a weight that jumped.

    Args:
        values: measured values as they are kept; None where nothing was measured.
        at: when they were measured.
        zone: the clinic's.
    """
    warnings = []
    for name, (least, most) in USUAL.get(chart.species, {}).items():
        value = values.get(name)
        if value is not None and not Decimal(str(least)) <= value <= Decimal(str(most)):
            unit = "°C" if name == "temperature_c" else "per minute"
            sentence = Sentence(
                "What is measured at rest is usually between {least} and {most} {unit}.",
                least=least,
                most=most,
                unit=unit,
            )
            warnings.append(FieldError(f"{pointer}/{name}", "unusual", sentence))
    refill = values.get("capillary_refill_seconds")
    if refill is not None and refill > SLOW_REFILL:
        sentence = Sentence("Capillaries usually refill within {most} seconds.", most=2)
        warnings.append(FieldError(f"{pointer}/capillary_refill_seconds", "unusual", sentence))
    if values.get("mucous_membranes") in BAD_MEMBRANES:
        warnings.append(FieldError(f"{pointer}/mucous_membranes", "unusual", "Mucous membranes are usually pink."))
    return warnings + jump(values.get("weight_kg"), chart, at, zone, pointer)


def jump(weight: Decimal | None, chart: Chart, at: datetime, zone: ZoneInfo, pointer: str = "") -> list[FieldError]:
    """A warning where the weight differs from the last one by more than an animal of that age changes by itself."""
    if weight is None or chart.weight_kg is None or chart.weighed_at is None or at - chart.weighed_at > REMEMBERED:
        return []
    change = (weight - chart.weight_kg) / chart.weight_kg
    grows = chart.birth_date is not None and day_of(at, zone) - chart.birth_date < GROWS
    if -LOSS < change < (GROWTH if grows else GAIN):
        return []
    sentence = Sentence(
        "The weight changed by {percent} % since it was last taken ({former} kg). Weigh again if that is not so.",
        percent=f"{change * 100:+.0f}",
        former=f"{chart.weight_kg.normalize():f}",
    )
    return [FieldError(f"{pointer}/weight_kg", "jump", sentence)]
