"""Immunizations, dewormings, prescriptions, allergies, and the protocols that a clinic keeps to."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.records.allergies import NewAllergy, check_allergy, note_allergy, resolve_allergy, void_allergy
from coravet.core.records.dewormings import NewDeworming, check_deworming, record_deworming, void_deworming
from coravet.core.records.encounters import Voiding, check_reason
from coravet.core.records.immunizations import (
    NewImmunization,
    check_immunization,
    record_immunization,
    void_immunization,
)
from coravet.core.records.prescriptions import (
    NewPrescription,
    check_items,
    check_prescription,
    issue_prescription,
    void_prescription,
)
from coravet.core.records.protocols import Protocols, check_protocols, in_force, set_protocols
from coravet.core.records.treatment_views import (
    AllergyView,
    DewormingView,
    ImmunizationView,
    PrescriptionCheckView,
    PrescriptionView,
    ProtocolsView,
)
from coravet.entrypoints.http.access import permitted
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.paging import Cursor, Limit

_CLINIC = "/clinics/{clinic:str}"
_PATIENT = f"{_CLINIC}/patients/{{patient_id:uuid}}"


def _immunization_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_immunization(given, ports.clock.now())[1]


def _deworming_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:
    return check_deworming(given, ports.clock.now())[1]


def _prescription_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_items(given)[1]


def _allergy_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_allergy(given)[1]


def _reason_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_reason(given)[1]


def _protocol_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_protocols(given)[1]


@get(
    f"{_PATIENT}/immunizations",
    opt=permitted("immunizations:read"),
    operation_id="listImmunizations",
    tags=["Treatments"],
)
async def list_immunizations(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[ImmunizationView]:
    """A patient's immunizations, the last given first; those entered in error say so."""
    async with call.begin(call.actor) as work:
        return await work.treatment_reads.immunizations(PageRequest(limit, cursor), patient_id)


@post(
    f"{_PATIENT}/immunizations",
    opt=permitted("records:write") | {"check": _immunization_errors},
    operation_id="recordImmunization",
    tags=["Treatments"],
)
async def post_immunization(
    patient_id: FromPath[UUID], data: JSONBody[NewImmunization], call: NamedDependency[Call]
) -> ImmunizationView:
    """Record a dose of a vaccine; what looks wrong but is accepted stands in `warnings`. The recall that asked for it
    ends, and the next dose is recalled on `next_due_on`, by the clinic's protocol where no day is given."""
    return await record_immunization(patient_id, data, call.actor, call.begin, call.ports.clock)


@get(
    f"{_CLINIC}/immunizations/{{immunization_id:uuid}}",
    opt=permitted("immunizations:read"),
    operation_id="getImmunization",
    tags=["Treatments"],
)
async def get_immunization(immunization_id: FromPath[UUID], call: NamedDependency[Call]) -> ImmunizationView:
    """An immunization."""
    async with call.begin(call.actor) as work:
        return await work.treatment_reads.immunization(immunization_id)


@post(
    f"{_CLINIC}/immunizations/{{immunization_id:uuid}}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidImmunization",
    tags=["Treatments"],
    status_code=200,
)
async def post_immunization_void(
    immunization_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]
) -> ImmunizationView:
    """Mark an immunization as entered in error; its recall ends, and the one that it had ended is open again."""
    return await void_immunization(immunization_id, data, call.actor, call.begin, call.ports.clock)


@get(f"{_PATIENT}/dewormings", opt=permitted("immunizations:read"), operation_id="listDewormings", tags=["Treatments"])
async def list_dewormings(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[DewormingView]:
    """A patient's dewormings, the last given first; those entered in error say so."""
    async with call.begin(call.actor) as work:
        return await work.treatment_reads.dewormings(PageRequest(limit, cursor), patient_id)


@post(
    f"{_PATIENT}/dewormings",
    opt=permitted("records:write") | {"check": _deworming_errors},
    operation_id="recordDeworming",
    tags=["Treatments"],
)
async def post_deworming(
    patient_id: FromPath[UUID], data: JSONBody[NewDeworming], call: NamedDependency[Call]
) -> DewormingView:
    """Record an antiparasitic treatment; as with an immunization. Where no weight is given, the last one counts."""
    return await record_deworming(patient_id, data, call.actor, call.begin, call.ports.clock)


@get(
    f"{_CLINIC}/dewormings/{{deworming_id:uuid}}",
    opt=permitted("immunizations:read"),
    operation_id="getDeworming",
    tags=["Treatments"],
)
async def get_deworming(deworming_id: FromPath[UUID], call: NamedDependency[Call]) -> DewormingView:
    """A deworming."""
    async with call.begin(call.actor) as work:
        return await work.treatment_reads.deworming(deworming_id)


@post(
    f"{_CLINIC}/dewormings/{{deworming_id:uuid}}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidDeworming",
    tags=["Treatments"],
    status_code=200,
)
async def post_deworming_void(
    deworming_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]
) -> DewormingView:
    """Mark a deworming as entered in error; its recall ends, and the one that it had ended is open again."""
    return await void_deworming(deworming_id, data, call.actor, call.begin, call.ports.clock)


@get(f"{_PATIENT}/prescriptions", opt=permitted("records:read"), operation_id="listPrescriptions", tags=["Treatments"])
async def list_prescriptions(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[PrescriptionView]:
    """A patient's prescriptions with their items, the newest first; those entered in error say so."""
    async with call.begin(call.actor) as work:
        return await work.prescription_reads.prescriptions(PageRequest(limit, cursor), patient_id)


@post(
    f"{_PATIENT}/prescriptions",
    opt=permitted("records:write") | {"check": _prescription_errors},
    operation_id="issuePrescription",
    tags=["Treatments"],
)
async def post_prescription(
    patient_id: FromPath[UUID], data: JSONBody[NewPrescription], call: NamedDependency[Call]
) -> PrescriptionView:
    """Issue a prescription in your own name, which needs a registration number. An allergy of the patient to what is
    prescribed stands in `warnings`."""
    return await issue_prescription(patient_id, data, call.actor, call.begin, call.ports.clock)


@post(
    f"{_PATIENT}/prescriptions/check",
    opt=permitted("records:write") | {"check": _prescription_errors},
    operation_id="checkPrescription",
    tags=["Treatments"],
    status_code=200,
)
async def post_prescription_check(
    patient_id: FromPath[UUID], data: JSONBody[NewPrescription], call: NamedDependency[Call]
) -> PrescriptionCheckView:
    """What would speak against a prescription, such as an allergy, before it is issued: with the same body, storing
    nothing."""
    return await check_prescription(patient_id, data, call.actor, call.begin, call.ports.clock)


@get(
    f"{_CLINIC}/prescriptions/{{prescription_id:uuid}}",
    opt=permitted("records:read"),
    operation_id="getPrescription",
    tags=["Treatments"],
)
async def get_prescription(prescription_id: FromPath[UUID], call: NamedDependency[Call]) -> PrescriptionView:
    """A prescription with its items."""
    async with call.begin(call.actor) as work:
        return await work.prescription_reads.prescription(prescription_id)


@post(
    f"{_CLINIC}/prescriptions/{{prescription_id:uuid}}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidPrescription",
    tags=["Treatments"],
    status_code=200,
)
async def post_prescription_void(
    prescription_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]
) -> PrescriptionView:
    """Mark a prescription as entered in error."""
    return await void_prescription(prescription_id, data, call.actor, call.begin, call.ports.clock)


@get(f"{_PATIENT}/allergies", opt=permitted("records:read"), operation_id="listAllergies", tags=["Treatments"])
async def list_allergies(
    patient_id: FromPath[UUID], call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[AllergyView]:
    """A patient's allergies, the newest first, with those that are over and those entered in error."""
    async with call.begin(call.actor) as work:
        return await work.allergy_reads.allergies(PageRequest(limit, cursor), patient_id)


@post(
    f"{_PATIENT}/allergies",
    opt=permitted("records:write") | {"check": _allergy_errors},
    operation_id="noteAllergy",
    tags=["Treatments"],
)
async def post_allergy(
    patient_id: FromPath[UUID], data: JSONBody[NewAllergy], call: NamedDependency[Call]
) -> AllergyView:
    """Note what a patient does not bear. Prescribing it warns from now on, and so do vaccines and dewormings."""
    return await note_allergy(patient_id, data, call.actor, call.begin, call.ports.clock)


@post(
    f"{_CLINIC}/allergies/{{allergy_id:uuid}}/resolve",
    opt=permitted("records:write"),
    operation_id="resolveAllergy",
    tags=["Treatments"],
    status_code=200,
)
async def post_allergy_resolve(allergy_id: FromPath[UUID], call: NamedDependency[Call]) -> AllergyView:
    """Hold an allergy to be over; it stays readable and warns no more."""
    return await resolve_allergy(allergy_id, call.actor, call.begin, call.ports.clock)


@post(
    f"{_CLINIC}/allergies/{{allergy_id:uuid}}/void",
    opt=permitted("records:write") | {"check": _reason_errors},
    operation_id="voidAllergy",
    tags=["Treatments"],
    status_code=200,
)
async def post_allergy_void(
    allergy_id: FromPath[UUID], data: JSONBody[Voiding], call: NamedDependency[Call]
) -> AllergyView:
    """Mark an allergy as entered in error."""
    return await void_allergy(allergy_id, data, call.actor, call.begin, call.ports.clock)


@get(f"{_CLINIC}/protocols", opt=permitted("immunizations:read"), operation_id="getProtocols", tags=["Treatments"])
async def get_protocols(call: NamedDependency[Call]) -> ProtocolsView:
    """Which vaccines and dewormings the clinic keeps to, from what age and how often."""
    async with call.begin(call.actor) as work:
        return in_force(await work.protocols.own())


@put(
    f"{_CLINIC}/protocols",
    opt=permitted("clinic:configure") | {"check": _protocol_errors},
    operation_id="setProtocols",
    tags=["Treatments"],
)
async def put_protocols(data: JSONBody[Protocols], call: NamedDependency[Call]) -> ProtocolsView:
    """Replace what the clinic keeps to; an empty list brings back what is shipped. Days reckoned before stay."""
    return await set_protocols(data, call.actor, call.begin)
