"""What sheets show, on PostgreSQL: one query each, days drawn in the clinic's zone."""

from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound
from coravet.core.records.sheets import (
    FoundSheet,
    PatientOnSheet,
    PrescriptionSheet,
    Professional,
    SheetKind,
    ShownAddendum,
    ShownDeworming,
    ShownImmunization,
    ShownNote,
    ShownPrescription,
    ShownProblem,
    ShownVital,
    Unprintable,
    VaccinationCard,
    VisitSummary,
)
from coravet.core.tenancy.clinic_day import day_of, time_zone

T = TypeVar("T")

_VITALS = (
    "weight_kg",
    "temperature_c",
    "heart_rate",
    "respiratory_rate",
    "body_condition",
    "pain",
    "mucous_membranes",
    "capillary_refill_seconds",
)

_PATIENT = """
c.name AS clinic, p.id AS patient_id, p.name, p.species, p.breed, p.sex, p.birth_date, p.birth_date_precision,
p.color, (
    SELECT i.value FROM identifiers i
    WHERE i.clinic_id = p.clinic_id AND i.patient_id = p.id AND i.until IS NULL
      AND i.kind IN ('iso_chip', 'legacy_chip')
    ORDER BY i.kind, i.since DESC LIMIT 1
) AS microchip, (
    SELECT k.given_name || ' ' || k.family_name FROM parties o
    JOIN clients k ON k.clinic_id = o.clinic_id AND k.id = o.client_id
    WHERE o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL
) AS owner
"""
_GIVEN = """
'at', g.administered_at, 'lot_number', g.lot_number, 'lot_expires_on', g.lot_expires_on, 'next_due_on', g.next_due_on,
'source', g.source, 'name', coalesce(g.vet_name, g.given_by), 'registration_number', g.registration_number
"""
_ITEMS = """
SELECT jsonb_agg(jsonb_build_object(
    'drug', i.drug, 'strength', i.strength, 'dose', i.dose::text, 'unit', i.unit, 'route', i.route,
    'frequency_hours', i.frequency_hours, 'duration_days', i.duration_days, 'quantity', i.quantity::text,
    'quantity_unit', i.quantity_unit, 'instructions', i.instructions
) ORDER BY r.issued_at, r.id, i.position)
FROM prescriptions r JOIN prescription_items i ON i.clinic_id = r.clinic_id AND i.prescription_id = r.id
"""


def _treatments(where: str) -> str:
    """The doses and treatments that fulfil a condition and were not entered in error, oldest first."""
    return f"""(
    SELECT jsonb_agg(jsonb_build_object('vaccine', g.vaccine, 'manufacturer', g.manufacturer, {_GIVEN})
        ORDER BY g.administered_at, g.id)
    FROM immunizations g WHERE g.clinic_id = p.clinic_id AND {where} AND g.voided_at IS NULL
) AS immunizations, (
    SELECT jsonb_agg(jsonb_build_object('product', g.product, 'target', g.target, {_GIVEN})
        ORDER BY g.administered_at, g.id)
    FROM dewormings g WHERE g.clinic_id = p.clinic_id AND {where} AND g.voided_at IS NULL
) AS dewormings
"""  # noqa: S608 -- our own conditions


_CARD = f"""
SELECT {_PATIENT}, {_treatments("g.patient_id = p.id")}
FROM patients p JOIN clinics c ON c.id = p.clinic_id WHERE p.id = $1
"""  # noqa: S608 -- as above
_PRESCRIPTION = f"""
SELECT {_PATIENT}, s.voided_at, s.issued_at, s.valid_until, s.vet_name, s.registration_number,
    ({_ITEMS} WHERE r.clinic_id = s.clinic_id AND r.id = s.id) AS items
FROM prescriptions s
JOIN patients p ON p.clinic_id = s.clinic_id AND p.id = s.patient_id
JOIN clinics c ON c.id = p.clinic_id WHERE s.id = $1
"""  # noqa: S608 -- as above
_SUMMARY = f"""
SELECT {_PATIENT}, e.voided_at, e.signed_at, e.started_at, e.signer_name, e.registration_number, e.reason,
    e.subjective, e.objective, e.assessment, e.plan, {", ".join(f"e.{name}::text" for name in _VITALS)},
    {_treatments("g.encounter_id = e.id")},
    ({_ITEMS} WHERE r.clinic_id = e.clinic_id AND r.encounter_id = e.id AND r.voided_at IS NULL) AS items,
    (
        SELECT jsonb_agg(to_jsonb(l) ORDER BY l.name)
        FROM (
            SELECT DISTINCT ON (problem_id) name, status, certainty FROM problem_changes
            WHERE clinic_id = e.clinic_id AND encounter_id = e.id ORDER BY problem_id, at DESC, id DESC
        ) l WHERE l.name IS NOT NULL
    ) AS problems,
    (
        SELECT jsonb_agg(jsonb_build_object(
            'at', a.added_at, 'name', a.author_name, 'registration_number', a.registration_number, 'text', a.text
        ) ORDER BY a.added_at, a.id)
        FROM addenda a WHERE a.clinic_id = e.clinic_id AND a.encounter_id = e.id AND a.text IS NOT NULL
    ) AS addenda
FROM encounters e
JOIN patients p ON p.clinic_id = e.clinic_id AND p.id = e.patient_id
JOIN clinics c ON c.id = p.clinic_id WHERE e.id = $1
"""  # noqa: S608 -- as above


class _By(msgspec.Struct, kw_only=True):
    """Who did something, and when."""

    at: datetime
    name: str | None
    registration_number: str | None

    @property
    def who(self) -> Professional | None:
        return None if self.name is None else Professional(self.name, self.registration_number)


class _Given(_By, kw_only=True):
    lot_number: str | None
    lot_expires_on: date | None
    next_due_on: date | None
    source: str


class _Immunization(_Given, kw_only=True):
    vaccine: str
    manufacturer: str | None


class _Deworming(_Given, kw_only=True):
    product: str
    target: str


class _Addendum(_By, kw_only=True):
    name: str
    text: str


class SheetsOnPostgres:
    """What sheets show."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work
        self._zone = time_zone(work.actor.time_zone)

    async def find(self, kind: SheetKind, subject_id: UUID) -> FoundSheet | Unprintable:
        match kind:
            case "card":
                return self._card(await self._row(_CARD, subject_id))
            case "prescription":
                return self._prescription(await self._row(_PRESCRIPTION, subject_id))
            case "visit_summary":
                return self._summary(await self._row(_SUMMARY, subject_id))

    async def _row(self, sql: str, subject_id: UUID) -> asyncpg.Record:
        rows = await self._work.fetch(sql, subject_id)
        if not rows:
            raise NotFound
        return rows[0]

    def _card(self, row: asyncpg.Record) -> FoundSheet:
        card = VaccinationCard(clinic=row["clinic"], patient=_patient(row), **self._treatments(row))
        return FoundSheet(row["patient_id"], card)

    def _prescription(self, row: asyncpg.Record) -> FoundSheet | Unprintable:
        if row["voided_at"] is not None:
            return "voided"
        sheet = PrescriptionSheet(
            clinic=row["clinic"],
            patient=_patient(row),
            vet=Professional(row["vet_name"], row["registration_number"]),
            prescribed_on=self._day(row["issued_at"]),
            valid_until=row["valid_until"],
            drugs=_list(row["items"], ShownPrescription),
        )
        return FoundSheet(row["patient_id"], sheet)

    def _summary(self, row: asyncpg.Record) -> FoundSheet | Unprintable:
        if row["voided_at"] is not None:
            return "voided"
        if row["signed_at"] is None:
            return "unsigned"
        sheet = VisitSummary(
            clinic=row["clinic"],
            patient=_patient(row),
            vet=Professional(row["signer_name"], row["registration_number"]),
            visited_on=self._day(row["started_at"]),
            signed_on=self._day(row["signed_at"]),
            reason=row["reason"],
            vitals=[ShownVital(name, row[name]) for name in _VITALS if row[name] is not None],
            note=ShownNote(**{part: row[part] for part in ShownNote.__struct_fields__}),
            problems=_list(row["problems"], ShownProblem),
            prescriptions=_list(row["items"], ShownPrescription),
            addenda=[
                ShownAddendum(self._day(each.at), Professional(each.name, each.registration_number), each.text)
                for each in _list(row["addenda"], _Addendum)
            ],
            **self._treatments(row),
        )
        return FoundSheet(row["patient_id"], sheet)

    def _treatments(self, row: asyncpg.Record) -> dict[str, Any]:
        return {
            "immunizations": [
                ShownImmunization(
                    given_on=self._day(dose.at),
                    vaccine=dose.vaccine,
                    manufacturer=dose.manufacturer,
                    lot_number=dose.lot_number,
                    lot_expires_on=dose.lot_expires_on,
                    vet=dose.who,
                    next_due_on=dose.next_due_on,
                    source=dose.source,
                )
                for dose in _list(row["immunizations"], _Immunization)
            ],
            "dewormings": [
                ShownDeworming(
                    given_on=self._day(each.at),
                    product=each.product,
                    target=each.target,
                    vet=each.who,
                    next_due_on=each.next_due_on,
                    source=each.source,
                )
                for each in _list(row["dewormings"], _Deworming)
            ],
        }

    def _day(self, at: datetime) -> date:
        return day_of(at, self._zone)


def _list(rows: Any, kind: type[T]) -> list[T]:
    """The structs that an aggregate made of JSON; none where it had no rows."""
    return [] if rows is None else msgspec.convert(rows, list[kind])  # type: ignore[valid-type]  # a variable


def _patient(row: asyncpg.Record) -> PatientOnSheet:
    return PatientOnSheet(**{field: row[field] for field in PatientOnSheet.__struct_fields__})
