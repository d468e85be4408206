"""Sheets as what the template prints: a title, facts beside it, and sections of text, facts or tables."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from coravet.adapters.pdf.words import (
    APPROXIMATE,
    MUCOUS_MEMBRANES,
    NOTE,
    PROBLEMS,
    ROUTES,
    SEX,
    SOURCES,
    SPECIES,
    TARGETS,
    TITLES,
    VITALS,
)
from coravet.core.records.sheets import (
    PatientOnSheet,
    PrescriptionSheet,
    Professional,
    Sheet,
    ShownAddendum,
    ShownDeworming,
    ShownImmunization,
    ShownPrescription,
    ShownProblem,
    ShownVital,
    Stamp,
    VaccinationCard,
    VisitSummary,
)

Fact = tuple[str, str]
NOTHING = "\N{EN DASH}"
_LONG, _LONG_IN_TABLE = re.compile(r"\S{24,}"), re.compile(r"\S{13,}")
_MAY_BREAK = re.compile(r"\S{6}(?=\w)")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a sheet. `rows` are facts of two texts, or a table's under `columns` as wide as `widths` say."""

    kind: Literal["table", "facts", "text"]
    heading: str | None = None
    columns: list[str] = []
    widths: list[float] = []
    rows: list[list[str]] = []
    text: str = ""


class Layout(msgspec.Struct, frozen=True):
    """A sheet as the template reads it; `qr` is an SVG image."""

    clinic: str
    title: str
    number: str
    address: str
    qr: str
    facts: list[Fact]
    sections: list[Section]
    signature: list[str] | None


def lay_out(sheet: Sheet, stamp: Stamp, qr: str) -> Layout:
    """What the template prints of a sheet."""
    facts = [("Documento", f"N.º {stamp.number}, emitido el {day(stamp.issued_on)}"), *_patient(sheet.patient)]
    signature: Professional | None = None
    match sheet:
        case VaccinationCard():
            sections = [_vaccines(sheet.immunizations), _dewormings(sheet.dewormings)]
        case PrescriptionSheet():
            facts += [("Fecha", day(sheet.prescribed_on)), ("Válida hasta", day(sheet.valid_until))]
            sections = [_prescribed(drug) for drug in sheet.drugs]
            signature = sheet.vet
        case VisitSummary():
            facts += [("Consulta", day(sheet.visited_on)), ("Firmada", day(sheet.signed_on))]
            sections = list(_visit(sheet))
            signature = sheet.vet
    return Layout(
        _breakable(sheet.clinic),
        TITLES[str(sheet.__struct_config__.tag)],
        str(stamp.number),
        stamp.address,
        qr,
        [(name, _breakable(said)) for name, said in facts],
        [_in_bounds(section) for section in sections],
        None if signature is None else [_breakable(line, _LONG_IN_TABLE) for line in _signed(signature)],
    )


def day(on: date | None) -> str:
    """A day as it is written in Ecuador; a dash where there is none."""
    return NOTHING if on is None else f"{on.day:02}/{on.month:02}/{on.year:04}"


def amount(number: Decimal) -> str:
    """A number with a decimal comma and no zeros after its last digit."""
    return f"{number.normalize():f}".replace(".", ",")


def _in_bounds(section: Section) -> Section:
    long = _LONG_IN_TABLE if section.kind == "table" else _LONG
    rows = [[_breakable(cell, long) for cell in row] for row in section.rows]
    heading = None if section.heading is None else _breakable(section.heading)
    return msgspec.structs.replace(section, heading=heading, rows=rows, text=_breakable(section.text))


def _breakable(text: str, long: re.Pattern[str] = _LONG) -> str:
    """The text, in which words that may be wider than their place can be broken, by spaces without a width."""
    return long.sub(lambda word: _MAY_BREAK.sub("\\g<0>\u200b", word[0]), text)


def _patient(patient: PatientOnSheet) -> Iterator[Fact]:
    yield "Paciente", patient.name
    kind = [SPECIES.get(patient.species, patient.species), patient.breed, SEX.get(patient.sex)]
    yield "Especie", " · ".join(part for part in [*kind, patient.color] if part)
    if patient.birth_date is not None:
        yield "Nacimiento", _born(patient.birth_date, patient.birth_date_precision)
    if patient.microchip is not None:
        yield "Microchip", patient.microchip
    if patient.owner is not None:
        yield "Propietario", patient.owner


def _born(on: date, precision: str | None) -> str:
    match precision:
        case "year":
            return f"{on.year:04}"
        case "month":
            return f"{on.month:02}/{on.year:04}"
        case "estimated":
            return f"{on.year:04} ({APPROXIMATE})"
    return day(on)


def _signed(vet: Professional) -> list[str]:
    number = vet.registration_number
    return [vet.name, *([] if number is None else [f"Registro profesional {number}"])]


def _who(vet: Professional | None) -> str:
    """Who gave a dose."""
    if vet is None:
        return NOTHING
    return "\n".join([vet.name, *([] if vet.registration_number is None else [f"Reg. {vet.registration_number}"])])


def _vaccines(given: list[ShownImmunization]) -> Section:
    if not given:
        return Section(kind="text", heading="Vacunas", text="No hay vacunas registradas.")
    rows = [
        [
            day(dose.given_on),
            dose.vaccine,
            dose.manufacturer or NOTHING,
            _lot(dose),
            _who(dose.vet),
            day(dose.next_due_on),
            SOURCES.get(dose.source, dose.source),
        ]
        for dose in given
    ]
    columns = ["Fecha", "Vacuna", "Fabricante", "Lote", "Profesional", "Próxima", "Aplicada"]
    return Section(
        kind="table", heading="Vacunas", columns=columns, widths=[1.15, 1.6, 1.4, 1.25, 1.8, 1.15, 1.1], rows=rows
    )


def _lot(dose: ShownImmunization) -> str:
    lot = dose.lot_number or NOTHING
    return lot if dose.lot_expires_on is None else f"{lot}\ncad. {day(dose.lot_expires_on)}"


def _dewormings(given: list[ShownDeworming]) -> Section:
    if not given:
        return Section(kind="text", heading="Desparasitaciones", text="No hay desparasitaciones registradas.")
    rows = [
        [
            day(each.given_on),
            each.product,
            TARGETS.get(each.target, each.target),
            _who(each.vet),
            day(each.next_due_on),
            SOURCES.get(each.source, each.source),
        ]
        for each in given
    ]
    columns = ["Fecha", "Producto", "Tipo", "Profesional", "Próxima", "Aplicada"]
    return Section(
        kind="table", heading="Desparasitaciones", columns=columns, widths=[1.15, 2.2, 1.4, 1.8, 1.15, 1.1], rows=rows
    )


def _prescribed(drug: ShownPrescription, before: str = "") -> Section:
    how = [
        None if drug.dose is None else f"{amount(drug.dose)} {drug.unit}",
        ROUTES.get(drug.route),
        None if drug.frequency_hours is None else f"cada {_counted(drug.frequency_hours, 'hora')}",
        None if drug.duration_days is None else f"durante {_counted(drug.duration_days, 'día')}",
    ]
    facts = [
        ("Dosis", ", ".join(part for part in how if part)),
        ("Cantidad", f"{amount(drug.quantity)} {drug.quantity_unit}"),
        ("Uso", drug.instructions),
    ]
    return Section(
        kind="facts",
        heading=before + " ".join(filter(None, [drug.drug, drug.strength])),
        rows=[[name, said] for name, said in facts if said],
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what if number == 1 else what + 's'}"


def _visit(sheet: VisitSummary) -> Iterator[Section]:
    if sheet.reason is not None:
        yield Section(kind="text", heading="Motivo de consulta", text=sheet.reason)
    if sheet.vitals:
        yield Section(kind="facts", heading="Signos vitales", rows=[_vital(vital) for vital in sheet.vitals])
    for name, heading in NOTE.items():
        said = getattr(sheet.note, name)
        if said:
            yield Section(kind="text", heading=heading, text=said)
    if sheet.problems:
        yield Section(kind="text", heading="Diagnósticos", text="\n".join(map(_problem, sheet.problems)))
    if sheet.immunizations:
        yield _vaccines(sheet.immunizations)
    if sheet.dewormings:
        yield _dewormings(sheet.dewormings)
    yield from (_prescribed(drug, "Receta: ") for drug in sheet.prescriptions)
    yield from (_addendum(addendum) for addendum in sheet.addenda)


def _vital(vital: ShownVital) -> list[str]:
    name, unit = VITALS[vital.name]
    shown = MUCOUS_MEMBRANES.get(vital.value) or amount(Decimal(vital.value))
    return [name, f"{shown} {unit}".strip()]


def _problem(problem: ShownProblem) -> str:
    judged = PROBLEMS.get(problem.status) or PROBLEMS.get(problem.certainty)
    return f"• {problem.name}" if judged is None else f"• {problem.name} ({judged})"


def _addendum(addendum: ShownAddendum) -> Section:
    heading = f"Adenda del {day(addendum.added_on)}, {', '.join(_signed(addendum.author))}"
    return Section(kind="text", heading=heading, text=addendum.text)
