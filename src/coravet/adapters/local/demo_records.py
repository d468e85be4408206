"""What the demo's vets wrote of visits that took place: notes, vaccines, prescriptions, weights, and what to mind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from coravet.core.kernel.actor import ClinicId, MemberId
from coravet.core.messaging.model import Recall
from coravet.core.messaging.recalls import reckoned_from
from coravet.core.patients.model import Alert, Identifier, Patient
from coravet.core.records.model import Encounter, NoteTemplate, Problem, ProblemChange, Weight
from coravet.core.records.signing import digest
from coravet.core.records.treatments import Deworming, Immunization, Prescription, PrescriptionItem
from coravet.core.records.views import DiagnosisView
from coravet.core.scheduling.model import Appointment
from coravet.core.tenancy.clinic_day import day_of

_DAY = timedelta(days=1)
_WRITTEN = frozenset({"in_exam", "ready", "completed"})


class Vet(msgspec.Struct, frozen=True):
    """Who writes."""

    member_id: MemberId
    name: str
    registration_number: str


class Case(NamedTuple):
    """What a visit turned out to be: the four parts of its note and, where there is one, the problem."""

    subjective: str
    objective: str
    assessment: str
    plan: str
    problem: str | None = None


_HEALTHY = Case(
    "El propietario no refiere novedades. Come y bebe con normalidad.",
    "Alerta, hidratado, mucosas rosadas.\nAuscultación y palpación sin alteraciones.",
    "Paciente clínicamente sano.",
    "Continuar con la misma alimentación. Control anual.",
)
_SICK = (
    Case(
        "Se rasca la oreja derecha desde hace varios días y sacude la cabeza.",
        "Conducto auditivo derecho enrojecido, con cerumen oscuro. Tímpano íntegro.",
        "Otitis externa.",
        "Limpieza del conducto y tratamiento tópico por siete días. Control en una semana.",
        "Otitis externa",
    ),
    Case(
        "Vómito desde anoche; no quiso comer hoy. Acceso a basura en casa.",
        "Deshidratación leve. Abdomen sensible a la palpación.",
        "Gastroenteritis aguda.",
        "Dieta blanda en porciones pequeñas, abundante agua. Volver si persiste más de 24 horas.",
        "Gastroenteritis aguda",
    ),
    Case(
        "Cojea de la pata posterior derecha después de correr.",
        "Dolor a la extensión de la rodilla. Sin crepitación.",
        "Esguince leve de rodilla.",
        "Reposo por diez días y antiinflamatorio. Radiografía si no mejora.",
        "Esguince de rodilla",
    ),
)
_DRUG = ("Meloxicam", "meloxicam", "1.5 mg/ml", "ml", "Dar con la comida, una vez al día. Suspender si vomita.")

_USUAL: Mapping[str, tuple[float, float, int, int]] = {
    "dog": (16.0, 38.6, 100, 22),
    "cat": (4.2, 38.5, 170, 28),
    "cow": (430.0, 38.6, 64, 32),
    "horse": (410.0, 37.8, 38, 12),
    "pig": (90.0, 38.9, 90, 36),
    "rabbit": (2.4, 39.2, 210, 45),
}
"""Kilograms, degrees Celsius, beats and breaths a minute of a usual patient."""

_TEMPLATES = (
    ("Consulta sana", None, _HEALTHY),
    ("Vacunación", None, _HEALTHY._replace(plan="Vacuna aplicada sin reacción inmediata. Observar 24 horas.")),
    ("Otitis", "dog", _SICK[0]),
)


@dataclass
class Records:
    """The rows, each kind after those that it refers to."""

    templates: list[NoteTemplate] = field(default_factory=list)
    encounters: list[Encounter] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    changes: list[ProblemChange] = field(default_factory=list)
    immunizations: list[Immunization] = field(default_factory=list)
    dewormings: list[Deworming] = field(default_factory=list)
    prescriptions: list[Prescription] = field(default_factory=list)
    items: list[PrescriptionItem] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    signed: dict[UUID, tuple[Vet, datetime]] = field(default_factory=dict)
    """Encounters that are signed once all of their parts are stored, by whom and when."""

    def sign(self) -> None:
        """Sign what is to be signed, over what is stored by then."""
        diagnoses: dict[UUID, list[DiagnosisView]] = {}
        for change in self.changes:
            if change.encounter_id is not None and change.name is not None:
                view = DiagnosisView(change.problem_id, change.name, change.status, change.certainty)
                diagnoses.setdefault(change.encounter_id, []).append(view)
        for encounter in self.encounters:
            if encounter.id in self.signed:
                vet, at = self.signed[encounter.id]
                encounter.digest = digest(encounter, diagnoses.get(encounter.id, []))
                encounter.signed_at, encounter.signed_by = at, vet.member_id
                encounter.signer_name, encounter.registration_number = vet.name, vet.registration_number


def write_records(
    visits: Sequence[tuple[Appointment, str, Vet]],
    patients: Mapping[UUID, Patient],
    clinic_id: ClinicId,
    zone: ZoneInfo,
    seed: str,
) -> Records:
    """What was written of visits that took place.

    Args:
        visits: visits with their service's name and the vet who saw the patient.
        patients: by id.
    """
    writing = _Writing(clinic_id, zone, seed)
    for name, species, case in _TEMPLATES:
        words = (case.subjective, case.objective, case.assessment, case.plan)
        writing.made.templates.append(NoteTemplate(clinic_id, writing.id(), name, species, None, *words))
    for visit, service, vet in visits:
        if visit.status in _WRITTEN:
            writing.write(visit, service, vet, patients[visit.patient_id])
    for patient in patients.values():
        writing.mark(patient)
    return writing.made


class _Writing:
    def __init__(self, clinic_id: ClinicId, zone: ZoneInfo, seed: str) -> None:
        self.made = Records()
        self._clinic_id = clinic_id
        self._zone = zone
        self._random = Random(f"{seed}-records")  # noqa: S311 -- a demo repeats itself on purpose
        self._weight: dict[UUID, Decimal] = {}

    def id(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)

    def write(self, visit: Appointment, service: str, vet: Vet, patient: Patient) -> None:
        """One visit: its note and what came of it."""
        usual = _USUAL.get(patient.species)
        case = self._random.choice(_SICK) if service == "Consulta general" and usual else _HEALTHY
        encounter = Encounter(
            clinic_id=self._clinic_id,
            id=self.id(),
            patient_id=patient.id,
            appointment_id=visit.id,
            opened_by=vet.member_id,
            started_at=visit.starts_at,
            reason=visit.reason or service,
            created_at=visit.starts_at,
            version=2,
            subjective=case.subjective,
            objective=case.objective,
            assessment=case.assessment,
            plan=case.plan,
        )
        if usual is not None:
            self._examine(encounter, patient, usual)
        self.made.encounters.append(encounter)
        at = visit.starts_at + timedelta(minutes=8)
        if case.problem is not None:
            self._diagnose(encounter, vet, case.problem, at)
            if self._chance(0.6) and patient.species in {"dog", "cat"}:
                self._prescribe(encounter, vet, at)
        if service == "Vacunación" and patient.species in {"dog", "cat"}:
            self._vaccinate(encounter, vet, at)
        if service == "Control" and patient.species in {"dog", "cat"}:
            self._deworm(encounter, vet, at)
        if visit.status == "completed":
            self.made.signed[encounter.id] = (vet, visit.ends_at)
            encounter.version = 3

    def mark(self, patient: Patient) -> None:
        """By what a patient is told apart, and what to mind."""
        if patient.species in {"dog", "cat"} and self._chance(0.3):
            # 999 is the manufacturer's code of transponders for tests: no animal carries one.
            chip = f"999{self._random.randrange(10**12):012}"
            self.made.identifiers.append(
                Identifier(self._clinic_id, self.id(), patient.id, "iso_chip", chip, chip, patient.created_at)
            )
        if self._chance(0.05):
            words = self._random.choice(
                ("Muerde: usar bozal.", "Se estresa con otros perros.", "Avisar si se retrasa.")
            )
            self.made.alerts.append(
                Alert(self._clinic_id, self.id(), patient.id, "check_in", words, None, None, patient.created_at, None)
            )

    def _examine(self, encounter: Encounter, patient: Patient, usual: tuple[float, float, int, int]) -> None:
        kilograms, celsius, beats, breaths = usual
        if patient.id not in self._weight:
            self._weight[patient.id] = Decimal(f"{kilograms * self._random.uniform(0.7, 1.3):.3f}")
            self._remember(patient, encounter.started_at)
        weight = self._weight[patient.id]
        encounter.weight_kg = weight
        encounter.temperature_c = Decimal(f"{celsius + self._random.uniform(-0.3, 0.3):.1f}")
        encounter.heart_rate = beats + self._random.randint(-8, 8)
        encounter.respiratory_rate = breaths + self._random.randint(-2, 2)
        if patient.species in {"dog", "cat"}:
            encounter.body_condition = self._random.randint(4, 7)
            encounter.pain = 0
            encounter.mucous_membranes = "pink"
            encounter.capillary_refill_seconds = Decimal("1.0")

    def _remember(self, patient: Patient, before: datetime) -> None:
        """The weights of earlier months."""
        weight, at = self._weight[patient.id], before
        for _ in range(self._random.randint(1, 4)):
            at -= self._random.randint(40, 90) * _DAY
            weight *= Decimal(f"{self._random.uniform(0.96, 1.01):.3f}")
            if at > patient.created_at:
                kept = weight.quantize(Decimal("0.001"))
                self.made.weights.append(Weight(self._clinic_id, self.id(), patient.id, kept, at, None, at))

    def _diagnose(self, encounter: Encounter, vet: Vet, name: str, at: datetime) -> None:
        onset = day_of(at, self._zone)
        problem = Problem(
            self._clinic_id, self.id(), encounter.patient_id, name, "active", "confirmed", onset, None, at
        )
        self.made.problems.append(problem)
        self.made.changes.append(
            ProblemChange(
                self._clinic_id,
                self.id(),
                problem.id,
                encounter.id,
                vet.member_id,
                at,
                name,
                "active",
                "confirmed",
                onset,
                None,
            )
        )

    def _prescribe(self, encounter: Encounter, vet: Vet, at: datetime) -> None:
        drug, substance, strength, unit, words = _DRUG
        prescription = Prescription(
            clinic_id=self._clinic_id,
            id=self.id(),
            patient_id=encounter.patient_id,
            encounter_id=encounter.id,
            vet_id=vet.member_id,
            vet_name=vet.name,
            registration_number=vet.registration_number,
            issued_at=at,
            valid_until=day_of(at, self._zone) + 30 * _DAY,
            item_count=1,
        )
        self.made.prescriptions.append(prescription)
        self.made.items.append(
            PrescriptionItem(
                clinic_id=self._clinic_id,
                id=self.id(),
                prescription_id=prescription.id,
                position=0,
                drug=drug,
                strength=strength,
                dose=Decimal("0.5"),
                unit=unit,
                route="oral",
                frequency_hours=24,
                duration_days=5,
                quantity=Decimal(1),
                quantity_unit="frasco",
                instructions=words,
                active_substances=[substance],
            )
        )

    def _vaccinate(self, encounter: Encounter, vet: Vet, at: datetime) -> None:
        today = day_of(at, self._zone)
        given = Immunization(
            clinic_id=self._clinic_id,
            id=self.id(),
            patient_id=encounter.patient_id,
            encounter_id=encounter.id,
            vaccine="Antirrábica",
            covers=["rabies"],
            manufacturer="Laboratorio (demo)",
            lot_number=f"DEMO-{self._random.randint(100, 999)}",
            lot_expires_on=today + 400 * _DAY,
            dose="1 ml",
            route="subcutaneous",
            site=None,
            administered_at=at,
            next_due_on=today + 365 * _DAY,
            due_days=[today + 365 * _DAY],
            source="here",
            vet_id=vet.member_id,
            vet_name=vet.name,
            registration_number=vet.registration_number,
            given_by=None,
            recorded_at=at,
            recorded_by=vet.member_id,
        )
        self.made.immunizations.append(given)
        self._recall(given, "vaccine_due", given.vaccine)

    def _deworm(self, encounter: Encounter, vet: Vet, at: datetime) -> None:
        given = Deworming(
            clinic_id=self._clinic_id,
            id=self.id(),
            patient_id=encounter.patient_id,
            encounter_id=encounter.id,
            product="Comprimidos antiparasitarios (demo)",
            active_substances=["praziquantel", "pyrantel"],
            target="internal",
            dose=Decimal(1),
            dose_unit="comprimido",
            weight_kg=encounter.weight_kg,
            route="oral",
            lot_number=None,
            lot_expires_on=None,
            administered_at=at,
            next_due_on=day_of(at, self._zone) + 90 * _DAY,
            due_days=[day_of(at, self._zone) + 90 * _DAY],
            source="here",
            vet_id=vet.member_id,
            vet_name=vet.name,
            registration_number=vet.registration_number,
            given_by=None,
            recorded_at=at,
            recorded_by=vet.member_id,
        )
        self.made.dewormings.append(given)
        self._recall(given, "deworming_due", given.product)

    def _recall(self, given: Immunization | Deworming, kind: str, note: str) -> None:
        if given.next_due_on is None:
            return
        self.made.recalls.append(
            Recall(
                clinic_id=self._clinic_id,
                id=self.id(),
                patient_id=given.patient_id,
                kind=kind,
                due_on=given.next_due_on,
                due_at=reckoned_from(given.next_due_on, self._zone),
                note=note,
                created_at=given.recorded_at,
                source_id=given.id,
            )
        )

    def _chance(self, share: float) -> bool:
        return self._random.random() < share
