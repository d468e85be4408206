"""Treatments, allergies and protocols on PostgreSQL."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import select

from coravet.adapters.postgres.cursors import LAST, NEWEST, after, page_of
from coravet.adapters.postgres.tenancy.tables import MEMBER_NAME
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.actor import MemberId
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.messaging.model import Recall
from coravet.core.records.ports import Signer
from coravet.core.records.substances import substances_in
from coravet.core.records.treatment_ports import DueKind, Given, KnownAllergy
from coravet.core.records.treatment_views import (
    AllergyView,
    Band,
    DewormingView,
    ImmunizationView,
    PrescriptionItemView,
    PrescriptionView,
    ProtocolEntry,
)
from coravet.core.records.treatments import Prescription, PrescriptionItem
from coravet.core.records.views import VoidedView, WriterRef

T = TypeVar("T")


def _writer(member: str) -> str:
    """A member as a `WriterRef` in JSON, or null."""
    return (
        f"(SELECT json_build_object('member_id', m.id, 'name', {MEMBER_NAME},"  # noqa: S608 -- our names
        " 'registration_number', m.registration_number) FROM members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.clinic_id = e.clinic_id AND m.id = e.{member}) AS {member}"
    )


_VOID = f"e.voided_at, {_writer('voided_by')}, e.void_reason"
_GIVEN = (
    "e.lot_number, e.lot_expires_on, e.route, e.administered_at, e.next_due_on, e.source, e.given_by, e.recorded_at,"
    f" e.vet_id, e.vet_name, e.registration_number, {_writer('recorded_by')}, {_VOID}"
)
_IMMUNIZATION = f"e.id, e.patient_id, e.encounter_id, e.vaccine, e.covers, e.manufacturer, e.dose, e.site, {_GIVEN}"
_DEWORMING = (
    "e.id, e.patient_id, e.encounter_id, e.product, e.active_substances, e.target, e.dose, e.dose_unit, e.weight_kg,"
    f" {_GIVEN}"
)
_PRESCRIPTION = f"""
e.id, e.patient_id, e.encounter_id, e.vet_id, e.vet_name, e.registration_number, e.issued_at, e.valid_until, {_VOID},
(SELECT json_agg(json_build_object('drug', i.drug, 'active_substances', i.active_substances, 'strength', i.strength,
    'dose', i.dose, 'unit', i.unit, 'route', i.route, 'frequency_hours', i.frequency_hours,
    'duration_days', i.duration_days, 'quantity', i.quantity, 'quantity_unit', i.quantity_unit,
    'instructions', i.instructions) ORDER BY i.position)
 FROM prescription_items i WHERE i.clinic_id = e.clinic_id AND i.prescription_id = e.id) AS items
"""  # noqa: S608 -- parts of ours
_ALLERGY = (
    f"e.id, e.patient_id, e.substance, e.reaction, e.severity, e.noted_at, {_writer('noted_by')}, e.resolved_at,"
    f" {_writer('resolved_by')}, {_VOID}"
)


def _one(columns: str, table: str) -> str:
    return f"SELECT {columns} FROM {table} e WHERE e.id = $1"  # noqa: S608 -- our names


def _many(columns: str, table: str, at: str) -> str:
    """A page of a patient's rows, the newest first; one row of nulls where it has none, none where there is no patient.

    Whose names are looked up is decided before: only of the rows of the page.
    """
    return (
        f"SELECT e.* FROM patients p LEFT JOIN LATERAL (SELECT {columns} FROM {table} e"  # noqa: S608 -- our names
        f" WHERE e.clinic_id = p.clinic_id AND e.patient_id = p.id AND (e.{at}, e.id) < ($2, $3)"
        f" ORDER BY e.{at} DESC, e.id DESC LIMIT $4) e ON true WHERE p.id = $1 ORDER BY e.{at} DESC, e.id DESC"
    )


def _ref(found: Any) -> WriterRef | None:
    return None if found is None else msgspec.convert(found, WriterRef)


def _voided(row: asyncpg.Record) -> VoidedView | None:
    if row["voided_at"] is None:
        return None
    return VoidedView(row["voided_at"], _ref(row["voided_by"]), row["void_reason"] or "")


def _vet(row: asyncpg.Record) -> WriterRef | None:
    """The vet with the name and the number that they had then."""
    if row["vet_id"] is None:
        return None
    return WriterRef(row["vet_id"], row["vet_name"], row["registration_number"])


def _given(row: asyncpg.Record) -> dict[str, Any]:
    names = [
        "lot_number",
        "lot_expires_on",
        "route",
        "administered_at",
        "next_due_on",
        "source",
        "given_by",
        "recorded_at",
    ]
    return {
        **{name: row[name] for name in ("id", "patient_id", "encounter_id", *names)},
        "vet": _vet(row),
        "recorded_by": _ref(row["recorded_by"]),
        "voided": _voided(row),
    }


def _immunization(row: asyncpg.Record) -> ImmunizationView:
    own = {name: row[name] for name in ("vaccine", "covers", "manufacturer", "dose", "site")}
    return ImmunizationView(**own, **_given(row))


def _deworming(row: asyncpg.Record) -> DewormingView:
    own = {name: row[name] for name in ("product", "active_substances", "target", "dose_unit")}
    dose, weight = row["dose"], row["weight_kg"]
    return DewormingView(
        **own,
        dose=None if dose is None else float(dose),
        weight_kg=None if weight is None else float(weight),
        dose_per_kg=None if dose is None or weight is None else round(float(dose / weight), 3),
        **_given(row),
    )


def _prescription(row: asyncpg.Record) -> PrescriptionView:
    return PrescriptionView(
        id=row["id"],
        patient_id=row["patient_id"],
        encounter_id=row["encounter_id"],
        vet=WriterRef(row["vet_id"], row["vet_name"], row["registration_number"]),
        issued_at=row["issued_at"],
        valid_until=row["valid_until"],
        items=msgspec.convert(row["items"] or [], list[PrescriptionItemView]),
        voided=_voided(row),
    )


def _allergy(row: asyncpg.Record) -> AllergyView:
    over = "resolved" if row["resolved_at"] is not None else "active"
    return AllergyView(
        id=row["id"],
        patient_id=row["patient_id"],
        substance=row["substance"],
        active_substances=sorted(substances_in(row["substance"])),
        reaction=row["reaction"],
        severity=row["severity"],
        state="voided" if row["voided_at"] is not None else over,
        noted_at=row["noted_at"],
        noted_by=_ref(row["noted_by"]),
        resolved_at=row["resolved_at"],
        resolved_by=_ref(row["resolved_by"]),
        voided=_voided(row),
    )


class _Reads:
    """Rows of one thing or of one patient, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def _get(self, sql: str, row_id: UUID, view: Callable[[asyncpg.Record], T]) -> T:
        rows = await self._work.fetch(sql, row_id)
        if not rows:
            raise NotFound
        return view(rows[0])

    async def _page(
        self, sql: str, at: str, page: PageRequest, patient_id: UUID, view: Callable[[asyncpg.Record], T]
    ) -> Page[T]:
        last = after(page, tuple[datetime, UUID]) or (NEWEST, LAST)
        rows = await self._work.fetch(sql, patient_id, *last, page.limit + 1)
        if not rows:
            raise NotFound
        found = [row for row in rows if row["id"] is not None]
        return page_of(found, page, view, lambda row: (row[at], row["id"]))


class TreatmentReadsOnPostgres(_Reads):
    """Immunizations and dewormings."""

    async def immunization(self, immunization_id: UUID) -> ImmunizationView:
        return await self._get(_one(_IMMUNIZATION, "immunizations"), immunization_id, _immunization)

    async def immunizations(self, page: PageRequest, patient_id: UUID) -> Page[ImmunizationView]:
        sql = _many(_IMMUNIZATION, "immunizations", "administered_at")
        return await self._page(sql, "administered_at", page, patient_id, _immunization)

    async def deworming(self, deworming_id: UUID) -> DewormingView:
        return await self._get(_one(_DEWORMING, "dewormings"), deworming_id, _deworming)

    async def dewormings(self, page: PageRequest, patient_id: UUID) -> Page[DewormingView]:
        sql = _many(_DEWORMING, "dewormings", "administered_at")
        return await self._page(sql, "administered_at", page, patient_id, _deworming)


class PrescriptionReadsOnPostgres(_Reads):
    """Prescriptions with their items."""

    async def prescription(self, prescription_id: UUID) -> PrescriptionView:
        return await self._get(_one(_PRESCRIPTION, "prescriptions"), prescription_id, _prescription)

    async def prescriptions(self, page: PageRequest, patient_id: UUID) -> Page[PrescriptionView]:
        sql = _many(_PRESCRIPTION, "prescriptions", "issued_at")
        return await self._page(sql, "issued_at", page, patient_id, _prescription)


class AllergyReadsOnPostgres(_Reads):
    """Allergies."""

    async def allergy(self, allergy_id: UUID) -> AllergyView:
        return await self._get(_one(_ALLERGY, "allergies"), allergy_id, _allergy)

    async def allergies(self, page: PageRequest, patient_id: UUID) -> Page[AllergyView]:
        return await self._page(_many(_ALLERGY, "allergies", "noted_at"), "noted_at", page, patient_id, _allergy)

    async def known(self, patient_id: UUID) -> list[KnownAllergy]:
        rows = await self._work.fetch(
            "SELECT substance, severity FROM allergies WHERE patient_id = $1 AND resolved_at IS NULL"
            " AND voided_at IS NULL ORDER BY noted_at, id",
            patient_id,
        )
        return [KnownAllergy(*row.values()) for row in rows]


class PrescriptionRows(Rows[Prescription]):
    """Prescriptions."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Prescription)
        self._work = work

    async def issue(self, prescription: Prescription, items: list[PrescriptionItem]) -> None:
        # Two statements: an item asks of the prescription whether it belongs to it.
        await self._work.insert([prescription])
        await self._work.insert(items)


_DOSES = {
    "vaccine_due": "SELECT id, vaccine AS name, covers, administered_at, due_days FROM immunizations",
    "deworming_due": "SELECT id, product, CASE target WHEN 'both' THEN ARRAY['external', 'internal']"
    " ELSE ARRAY[target] END, administered_at, due_days FROM dewormings",
}


class DuesOnPostgres:
    """What patients had, and their recalls."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def given(self, patient_id: UUID, kind: DueKind) -> list[Given]:
        rows = await self._work.fetch(
            f"{_DOSES[kind]} WHERE patient_id = $1 AND voided_at IS NULL ORDER BY administered_at, id", patient_id
        )
        return [Given(*row.values()) for row in rows]

    async def recalls(self, patient_id: UUID, kind: DueKind) -> list[Recall]:
        of: Any = Recall  # mapped: its attributes are columns
        rows = await self._work.session.scalars(
            select(Recall).where(of.patient_id == patient_id, of.kind == kind).order_by(of.id).with_for_update()
        )
        return list(rows)


class VetsOnPostgres:
    """Who treats."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def vet(self, member_id: MemberId) -> Signer | None:
        rows = await self._work.fetch(
            f"SELECT 'vet' = ANY(m.roles) AS is_vet, {MEMBER_NAME} AS name,"  # noqa: S608 -- our names
            " m.registration_number FROM members m JOIN users u ON u.id = m.user_id WHERE m.id = $1",
            member_id,
        )
        if not rows:
            raise NotFound
        is_vet, *signs = rows[0].values()
        return Signer(*signs) if is_vet else None


_ENTRIES = (
    "SELECT kind, species, code, name, also, from_weeks, until_weeks, every_weeks, primary_doses, primary_weeks,"
    " repeat_months FROM protocols ORDER BY kind DESC, species DESC, code"
)


class ProtocolsOnPostgres:
    """What the clinic set."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def own(self) -> list[ProtocolEntry]:
        return [_entry(row) for row in await self._work.fetch(_ENTRIES)]

    async def replace(self, entries: list[ProtocolEntry]) -> int:
        clinic_id = self._work.actor.clinic_id
        # Whoever replaces them at the same time waits here.
        [clinic] = await self._work.fetch(
            "UPDATE clinics SET version = version + 1 WHERE id = $1 RETURNING version", clinic_id
        )
        await self._work.execute("DELETE FROM protocols")
        await self._work.execute_many(
            "INSERT INTO protocols (clinic_id, kind, species, code, name, also, from_weeks, until_weeks,"
            " every_weeks, primary_doses, primary_weeks, repeat_months)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            [
                (
                    clinic_id,
                    entry.kind,
                    entry.species,
                    entry.code,
                    entry.name,
                    entry.also,
                    entry.from_weeks,
                    [band.until_weeks for band in entry.bands],
                    [band.every_weeks for band in entry.bands],
                    entry.primary_doses,
                    entry.primary_weeks,
                    entry.repeat_months,
                )
                for entry in entries
            ],
        )
        version: int = clinic["version"]
        return version


def _entry(row: asyncpg.Record) -> ProtocolEntry:
    return ProtocolEntry(
        kind=row["kind"],
        species=row["species"],
        code=row["code"],
        name=row["name"],
        also=row["also"],
        from_weeks=row["from_weeks"],
        bands=[Band(*each) for each in zip(row["until_weeks"], row["every_weeks"], strict=True)],
        primary_doses=row["primary_doses"],
        primary_weeks=row["primary_weeks"],
        repeat_months=row["repeat_months"],
    )
