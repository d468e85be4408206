"""All that a clinic holds on a person as a page to be read and printed: self-contained, without script."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import sha256
from html import escape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from coravet.core.exchange.glossary import COLUMNS, TABLES
from coravet.core.privacy.activities import Words
from coravet.core.privacy.ports import Held, HeldTable
from coravet.core.privacy.words import WORDS
from coravet.core.tenancy.clinic_day import time_zone

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; border-top: 2px solid; padding-top: .8rem; margin-top: 2rem; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
article { border: 1px solid #9998; border-radius: .4rem; padding: .5rem .8rem; margin: .5rem 0; break-inside: avoid; }
p { margin: .15rem 0; white-space: pre-wrap; overflow-wrap: anywhere; } header p { margin: .6rem 0; }
b { font-weight: 600; } i, [lang=en] { font-style: normal; opacity: .72; } .inferred { border-style: dashed; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } }
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; base-uri 'none'"
)
"""Nothing but this very style."""

_ABOUT = {
    "es": (
        "Este documento contiene todo lo que la clínica tiene sobre usted y sobre sus animales, tal como estaba el"
        " {when}. Se lo entrega sin costo por su derecho de acceso (LOPDP, art. 13) y de portabilidad (art. 17).",
        "Lo que la clínica o el programa dedujo por sí mismo, como la fecha de una próxima dosis, va en un recuadro de"
        " línea punteada y en el archivo inferidos.json. Lo demás está también en datos.json, que otra clínica puede"
        " leer con un programa, y las fotos están en la carpeta archivos.",
        "De un animal que fue de otra persona antes o después de usted no aparece lo que se anotó en ese tiempo. No"
        " están los datos de otras personas ni de quienes trabajan en la clínica, salvo el nombre y el registro de"
        " quien firmó o atendió, ni las claves secretas. Lo que la clínica escribió con sus palabras está tal como se"
        " escribió. Los mensajes no se guardan, solo que se enviaron.",
        "Si algo no es correcto, pida a la clínica que lo rectifique (art. 14). También puede pedir que se elimine"
        " (art. 15), oponerse a su uso (art. 16) o pedir que se suspenda (art. 19).",
    ),
    "en": (
        "This document holds everything that the clinic has on you and your animals, as it was on {when}. It is handed"
        " to you free of charge under your rights of access (LOPDP, art. 13) and portability (art. 17).",
        "What the clinic or the program concluded by itself, such as the day of a next dose, stands in a dashed frame,"
        " and in the file inferidos.json. All else is in datos.json, too, which another clinic can read by a program;"
        " photos are in the folder archivos.",
        "Of an animal that was somebody else's before or after you, what was written in that time is not shown. Data of"
        " other people and of those who work at the clinic are not here, but for name and registration of who signed or"
        " treated, nor are secrets. What the clinic wrote in its own words is as it was written."
        " Messages are not kept, only that they were sent.",
        "If anything is wrong, ask the clinic to correct it (art. 14). You may also ask to have it erased (art. 15),"
        " object to its use (art. 16) or ask for a suspension (art. 19).",
    ),
}
_OWN = Words("Sobre usted", "About you")
_NOTHING = Words("La clínica no tiene nada más.", "The clinic holds nothing else.")
_YES, _NO = Words("sí", "yes"), Words("no", "no")
_TITLES = {
    "clients": Words("Sus datos", "Your details"),
    "contacts": Words("Otras formas de contactarle", "Other ways to reach you"),
    "import_rows": Words(
        "Lo que decían de usted listas que la clínica trajo", "What lists that the clinic had said of you"
    ),
    "parties": Words("Su relación con el animal", "What you are to the animal"),
    "patients": Words("El animal", "The animal"),
}
"""What a table holds where the clinic's own words for it would not speak to the person."""

_FIRST = (
    "clients", "contacts", "consents", "acceptances", "channel_choices", "patients", "parties", "identifiers", "alerts",
    "encounters", "addenda", "problems", "allergies", "immunizations", "dewormings", "prescriptions",
    "prescription_items", "weights", "appointments",
)  # fmt: skip
"""The order in which people look for things; what is not here follows."""

_FIXED = frozenset({"step", "from_status", "to_status", "previous_status", "status"})
"""Columns of fixed words, though no constraint lists them."""


def title_of(table: str) -> Words:
    """What a table holds."""
    return _TITLES.get(table) or Words(*TABLES.get(table, (table, table)))


def page(held: Held, export_id: UUID, now: datetime, zone: str) -> Iterator[str]:
    """The page, piece by piece.

    Args:
        zone: in whose days and hours instants are shown.
    """
    clock = time_zone(zone)
    name = escape(held.clinic_name)
    yield (
        '<!doctype html>\n<html lang="es"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{name}</title><style>{_STYLE}</style></head><body>\n<header>"
        f'<h1>Sus datos en {name}<br><span lang="en">Your data at {name}</span></h1>'
    )
    for language, sentences in _ABOUT.items():
        for sentence in sentences:
            yield f'<p lang="{language}">{sentence.format(when=_instant(now.isoformat(), clock))}</p>\n'
    yield f"<p><b>{export_id}</b></p></header>\n"
    patients = _Patients(held.tables)
    order = {name: place for place, name in enumerate(_FIRST)}
    tables = sorted(held.tables, key=lambda table: (order.get(table.name, len(order)), table.name))
    for patient_id, heading in [(None, _OWN), *patients.names.items()]:
        yield f"<section><h2>{_both(heading)}</h2>\n"
        for table in tables:
            yield from _part(table, patients.of(table, patient_id), clock)
        yield "</section>\n"
    yield f"<p>{_both(_NOTHING)}</p></body></html>\n"


Sorted = tuple[list[dict[str, Any]], list[dict[str, Any]]]


class _Patients:
    """Which rows are of which patient: by the patient's id, or through the row that they belong to."""

    def __init__(self, tables: list[HeldTable]) -> None:
        rows = {row["id"]: row for table in tables for row in [*table.rows, *table.inferred_rows] if "id" in row}
        self.names: dict[str, Words] = {
            row["id"]: Words(escaped := escape(row["name"]), escaped)
            for table in tables
            if table.name == "patients"
            for row in table.rows
        }
        self._parts: dict[tuple[str, str | None], Sorted] = {}
        for table in tables:
            ways = [column.name for column in table.columns if column.refers_to]
            for inferred, some in enumerate((table.rows, table.inferred_rows)):
                for row in some:
                    whose = row["id"] if table.name == "patients" else self._whose(row, ways, rows)
                    self._parts.setdefault((table.name, whose), ([], []))[inferred].append(row)

    def _whose(self, row: dict[str, Any], ways: list[str], rows: dict[str, dict[str, Any]]) -> str | None:
        if row.get("patient_id") in self.names:
            return str(row["patient_id"])
        # The row that it belongs to says whose it is: two steps lead from anywhere to a patient.
        for way in [*ways, "subject_id"]:
            parent = rows.get(row.get(way, ""))
            if parent is not None and parent.get("patient_id") in self.names:
                return str(parent["patient_id"])
        return None

    def of(self, table: HeldTable, patient_id: str | None) -> Sorted:
        """The rows of a table that are of a patient, or of none, and those that were concluded."""
        return self._parts.get((table.name, patient_id), ([], []))


def _part(table: HeldTable, rows: Sorted, clock: ZoneInfo) -> Iterator[str]:
    told, concluded = rows
    if not told and not concluded:
        return
    yield f"<h3>{_both(title_of(table.name))}</h3>\n"
    columns = [
        (
            column.name,
            f"<b>{_label(column.name)}:</b> ",
            column.name in table.inferred,
            column.kind,
            bool(column.values) or column.name in _FIXED,
        )
        for column in table.columns
        if column.name in COLUMNS and not column.kind.startswith("uuid")
    ]
    if any("service" in row for row in told):
        columns.insert(0, ("service", f"<b>{_label('service')}:</b> ", False, "text", False))
    for row, whole in [*((row, False) for row in told), *((row, True) for row in concluded)]:
        lines: dict[bool, list[str]] = {False: [], True: []}
        for name, label, inferred, kind, fixed in columns:
            value = row.get(name)
            if value is not None and value != []:
                lines[inferred or whole].append(f"<p>{label}{_shown(value, kind, clock, fixed=fixed)}</p>")
        if lines[False]:
            yield f"<article>{''.join(lines[False])}</article>\n"
        if lines[True]:
            yield f'<article class="inferred">{"".join(lines[True])}</article>\n'


def _both(words: Words) -> str:
    return words.es if words.es == words.en else f'{words.es} <i lang="en">{words.en}</i>'


def _shown(value: Any, kind: str, clock: ZoneInfo, *, fixed: bool) -> str:
    if isinstance(value, list):
        parts = [_shown(each, kind.removesuffix("[]"), clock, fixed=fixed) for each in value if each is not None]
        return "; ".join(parts) or "-"
    if isinstance(value, dict):
        told = ((name, each) for name, each in value.items() if each not in (None, [], ""))
        return "; ".join(f"{_label(name)}: {_shown(each, '', clock, fixed=False)}" for name, each in told)
    if isinstance(value, bool):
        return _both(_YES if value else _NO)
    if kind.startswith("timestamp"):
        return _instant(value, clock)
    if kind.startswith("date"):
        return f"{date.fromisoformat(value):%d/%m/%Y}"
    return _both(WORDS[value]) if fixed and value in WORDS else escape(str(value))


def _label(name: str) -> str:
    return _both(Words(*COLUMNS[name])) if name in COLUMNS else escape(name)


def _instant(value: str, clock: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(value).astimezone(clock):%d/%m/%Y %H:%M}"
