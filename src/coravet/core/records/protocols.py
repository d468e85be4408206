"""Which vaccines and dewormings a clinic keeps to, from what age and how often; and the day of the next dose.

What is shipped:

- Dogs and cats, vaccines: WSAVA, *2024 guidelines for the vaccination of dogs and cats* (Squires et al., Journal of
  Small Animal Practice, doi:10.1111/jsap.13718). Core from 6 to 8 weeks of age, every 2 to 4 weeks until 16 weeks or
  older, again at 26 weeks or older, then every three years; *Leptospira* (core where it is endemic) and feline
  leukaemia from 8 weeks, two doses 2 to 4 weeks apart, then yearly; rabies once from 12 weeks, again as the law asks.
- Rabies in Ecuador: owners must have their animals vaccinated (Ley Orgánica de Salud art. 123); the campaigns take them
  from three months of age, yearly.
- Worms: ESCCAP Guideline 1 (2021). Puppies from 2 weeks of age and kittens from 3 every two weeks until 12 weeks,
  monthly until six months, then four times a year.
- Fleas and ticks: ESCCAP Guideline 3; the year round where it is warm, here monthly. What lasts longer says so on its
  label, and its next day is written with the treatment.

A clinic may keep to its own instead.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import ClinicUpdated
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import Species
from coravet.core.records.substances import words_of
from coravet.core.records.treatment_ports import TreatmentsWork
from coravet.core.records.treatment_views import Band, ProtocolEntry, ProtocolKind, ProtocolsView

DEWORMINGS = frozenset({"internal", "external"})
"""The codes that entries for dewormings have: what is treated."""

MOST_ENTRIES = 100

# What makers print: D(H, A2)P(Pi, Pi2) is distemper, hepatitis (adenovirus), parvovirus and parainfluenza, in French
# M(H, A2)P(Pi); L, L2, L4 leptospira of so many kinds; R rabies; RCP(Ch) a cat's rhinotracheitis, calicivirus and
# panleucopenia (and chlamydia); FeLV leukaemia. Brands stand here where their names say nothing of it.
_CORE_LETTERS = ("dhp", "dhpp", "dhppi", "dhppi2", "dapp", "dappi", "da2pp", "da2ppi", "dha2ppi", "mha2ppi", "mhppi")
_RABIES = ("antirrabica", "rabia", "rabies", "rabisin", "rabigen", "imrab", "defensor", "rabvac", "lr", "rl", "hexadog")
_RABIES_OF_CATS = (*_RABIES[:-3], "rcp r", "crp r")
_WITH_LEPTOSPIRA = (
    "quintuple",
    "sextuple",
    "septuple",
    "heptavalente",
    "octuple",
    "nonuple",
    "decuple",
    "dhppil",
    "dhlpp",
    "hexadog",
    "recombitek c6",
    "recombitek c8",
)
_CANINE = (
    "moquillo",
    "distemper",
    "parvovirus",
    "parvo",
    "puppy",
    "polivalente",
    "multiple",
    "triple canina",
    "cuadruple canina",
    "vanguard plus",
    "recombitek c4",
    *_CORE_LETTERS,
    *_WITH_LEPTOSPIRA,
)
_LEPTOSPIRA = (
    "leptospira",
    "lepto",
    *_WITH_LEPTOSPIRA,
    "l2",
    "l4",
    "lr",
    "rl",
    *(f"{each} l" for each in _CORE_LETTERS),
)
_FELINE = (
    "triple felina",
    "trivalente felina",
    "cuadruple felina",
    "quintuple felina",
    "panleucopenia",
    "calicivirus",
    "fvrcp",
    "fvrcpc",
    "rcp",
    "rcpch",
    "crp",
    "hcp",
    "hcpch",
    "tricat",
    "felocell",
    "feligen",
)
_LEUKAEMIA = ("leucemia", "felv", "leukaemia", "leukemia", "leucogen", "leukocell", "quintuple felina")


def _entry(  # what most entries share, left out
    kind: ProtocolKind,
    species: Species,
    code: str,
    name: str,
    also: Sequence[str],
    from_weeks: int,
    *bands: Band,
    repeat_months: int,
    primary_doses: int = 1,
) -> ProtocolEntry:
    return ProtocolEntry(
        kind=kind,
        species=species,
        code=code,
        name=name,
        also=list(also),
        from_weeks=from_weeks,
        bands=list(bands),
        primary_doses=primary_doses,
        primary_weeks=4,
        repeat_months=repeat_months,
    )


_YOUNG = (Band(16, 4), Band(26, 10))
_WORMS = (Band(12, 2), Band(26, 4))

SHIPPED: tuple[ProtocolEntry, ...] = (
    _entry("vaccine", "dog", "rabies", "Rabia", _RABIES, 13, Band(12, 4), repeat_months=12),
    _entry(
        "vaccine",
        "dog",
        "canine_core",
        "Moquillo, parvovirus y hepatitis",
        _CANINE,
        6,
        *_YOUNG,
        repeat_months=36,
    ),
    _entry(
        "vaccine",
        "dog",
        "leptospirosis",
        "Leptospirosis",
        _LEPTOSPIRA,
        8,
        repeat_months=12,
        primary_doses=2,
    ),
    _entry(
        "vaccine",
        "dog",
        "kennel_cough",
        "Tos de las perreras",
        ("bordetella", "traqueobronquitis", "tos de perrera", "kennel cough", "kc", "bronchicine", "pneumodog"),
        8,
        repeat_months=12,
    ),
    _entry("vaccine", "cat", "rabies", "Rabia", _RABIES_OF_CATS, 13, Band(12, 4), repeat_months=12),
    _entry("vaccine", "cat", "feline_core", "Triple felina", _FELINE, 6, *_YOUNG, repeat_months=36),
    _entry(
        "vaccine",
        "cat",
        "feline_leukaemia",
        "Leucemia felina",
        _LEUKAEMIA,
        8,
        repeat_months=12,
        primary_doses=2,
    ),
    _entry("deworming", "dog", "internal", "Desparasitación interna", ("interna",), 2, *_WORMS, repeat_months=3),
    _entry("deworming", "dog", "external", "Desparasitación externa", ("externa",), 8, repeat_months=1),
    _entry("deworming", "cat", "internal", "Desparasitación interna", ("interna",), 3, *_WORMS, repeat_months=3),
    _entry("deworming", "cat", "external", "Desparasitación externa", ("externa",), 8, repeat_months=1),
)


class Protocols(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a clinic's entries; none: those that are shipped."""

    entries: Annotated[list[ProtocolEntry], Meta(max_length=MOST_ENTRIES)]


def check_protocols(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The `entries` with their texts cleaned, and what is wrong with each, at `/entries/<i>/…`."""
    entries: list[ProtocolEntry] = []
    errors: list[FieldError] = []
    seen = set()
    for index, entry in enumerate(given.get("entries", ())):
        fields, bad = clean_fields(msgspec.structs.asdict(entry), ("name",), required=("name",))
        fields["also"] = [" ".join(words_of(each)) for each in entry.also]
        if entry.kind == "deworming" and entry.code not in DEWORMINGS:
            bad.append(FieldError("/code", "not_allowed", "A deworming's code is internal or external."))
        ages = [band.until_weeks for band in entry.bands]
        if ages != sorted(set(ages)):
            bad.append(FieldError("/bands", "out_of_order", "Each stretch of age ends later than the one before."))
        key = (entry.kind, entry.species, entry.code)
        if key in seen:
            bad.append(FieldError("", "duplicate_entry", "Another entry of the list is for the same."))
        seen.add(key)
        errors += [FieldError(f"/entries/{index}{error.pointer}", error.code, error.said) for error in bad]
        entries.append(ProtocolEntry(**fields))
    return {"entries": entries}, errors


async def set_protocols(command: Protocols, actor: Actor, begin: Begin[TreatmentsWork]) -> ProtocolsView:
    """Replace what the clinic keeps to, which is a change of the clinic. Days that were reckoned before stay.

    Raises:
        Invalid: an entry breaks a rule, or two are for the same; every bad field is listed.
    """
    entries = sound(check_protocols(msgspec.structs.asdict(command)))["entries"]
    async with begin(actor) as work:
        version = await work.protocols.replace(entries)
        work.emit(ClinicUpdated(actor.clinic_id, version))
        return work.answer(in_force(await work.protocols.own()))


def in_force(own: list[ProtocolEntry]) -> ProtocolsView:
    """What a clinic keeps to that set these entries: they, or the shipped ones where it set none."""
    return ProtocolsView(own or list(SHIPPED), shipped=not own)


async def entries_for(work: TreatmentsWork, kind: ProtocolKind, species: str) -> list[ProtocolEntry]:
    """What the clinic keeps to with patients of a species."""
    entries = in_force(await work.protocols.own()).entries
    return [entry for entry in entries if entry.kind == kind and entry.species == species]


def covered(text: str, entries: Iterable[ProtocolEntry]) -> list[str]:
    """The codes of the entries that a vaccine's name speaks of: `Séxtuple canina` is two of them. Accents, case and
    what stands around the words do not matter.
    """
    words = f" {' '.join(words_of(text))} "
    return [
        entry.code
        for entry in entries
        if any(f" {' '.join(words_of(name))} " in words for name in (entry.code, entry.name, *entry.also))
    ]


def named(codes: list[str], entries: Iterable[ProtocolEntry]) -> list[str]:
    """The codes that somebody named, once each. Raises Invalid where the protocol has no such code."""
    known = [entry.code for entry in entries]
    sentence = "The clinic's protocol for this species has no such code. Look among its protocols."
    errors = [
        FieldError(f"/covers/{index}", "unknown_code", sentence)
        for index, code in enumerate(codes)
        if code not in known
    ]
    if errors:
        raise Invalid(errors=errors)
    return [code for code in known if code in codes]


def next_due(entry: ProtocolEntry, day: date, age_weeks: int, doses: int) -> date | None:
    """When the next dose is due after one on `day`, or None where there is none.

    Args:
        age_weeks: the patient's on that day.
        doses: how many it had by then, this one included.
    """
    for band in entry.bands:
        if age_weeks < band.until_weeks:
            return day + timedelta(weeks=band.every_weeks)
    if doses < entry.primary_doses:
        return day + timedelta(weeks=entry.primary_weeks)
    return None if entry.repeat_months is None else months_after(day, entry.repeat_months)


def months_after(day: date, months: int) -> date:
    """The same day so many months later; where that month is too short, its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
