"""The OpenAPI document: valid, complete, and stable for the clients that are generated from it."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.integration.http.samples import routes
from tests.integration.http.service import Service

from coravet.core.kernel.events import CATALOGUE
from coravet.entrypoints.http.problems import catalogue, status_of

OPERATIONS = [
    "healthLive", "healthReady",
    "createSession", "getSession", "deleteSession",
    "listLegalDocuments", "getLegalDocument", "decideAboutLegalDocument", "listOwnAcceptances", "getOwnAcceptance",
    "openClinic", "listClinics", "getClinic", "changeClinic",
    "listMembers", "changeMember", "listInvitations", "inviteMember", "acceptInvitation",
    "registerClient", "listClients", "getClient", "changeClient",
    "listCantons", "recordClientDeath", "revokeClientDeath", "listContacts", "addContact", "removeContact",
    "listConsents", "recordConsent", "findDuplicates", "listDuplicates", "mergeClients", "listMerges", "undoMerge",
    "registerPatient", "listPatients", "getPatient", "changePatient", "recordDeath", "revokeDeath",
    "listDeathRecords", "listBreeds", "transferPatient", "listParties", "addParty", "changeParty", "endParty",
    "listIdentifiers", "addIdentifier", "endIdentifier", "listAlerts", "addAlert", "endAlert",
    "search",
    "listImmunizations", "recordImmunization", "getImmunization", "voidImmunization",
    "listDewormings", "recordDeworming", "getDeworming", "voidDeworming",
    "listPrescriptions", "issuePrescription", "checkPrescription", "getPrescription", "voidPrescription",
    "listAllergies", "noteAllergy", "resolveAllergy", "voidAllergy", "getProtocols", "setProtocols",
    "getChannels", "setChannels", "getReminderRules", "setReminderRules", "listRecalls", "recallPatient", "closeRecall",
    "listMessages", "messageSent", "messageSkip", "getOptOut", "optOut",
    "streamEvents",
    "getAgenda", "getAvailability", "bookAppointment", "listAppointments", "getAppointment",
    "appointmentConfirm", "appointmentCheckIn", "appointmentStart", "appointmentReady", "appointmentComplete",
    "appointmentCancel", "appointmentNoShow", "appointmentBack", "appointmentReschedule", "appointmentReassign",
    "getAppointmentHistory", "walkIn", "getBoard",
    "listWaitlist", "joinWaitlist", "leaveWaitlist", "offerTime", "acceptOffer", "declineOffer",
    "showOffer", "acceptOfferByLink", "declineOfferByLink",
    "listServices", "offerService", "getService", "changeService", "retireService",
    "listResources", "addResource", "getResource", "changeResource", "retireResource", "getHours", "setHours",
    "getCalendar", "openCalendar", "revokeCalendar", "listHolidays",
    "printImmunizationCard", "printPrescription", "printVisitSummary", "listDocuments", "withdrawDocument",
    "verifyDocument",
    "listExceptions", "setException", "dropException",
    "listPortalServices", "getPortalAvailability", "holdPortalSlot", "dropPortalHold", "bookAsGuest",
    "getGuestBooking", "guestConfirm", "guestReschedule", "guestCancel",
    "openEncounter", "listEncounters", "getEncounter", "writeEncounter", "signEncounter", "addAddendum",
    "voidEncounter", "dismissSetAsideNote", "getTimeline", "listWeights", "weighPatient", "voidWeight",
    "listProblems", "getProblem", "noteProblem", "judgeProblem",
    "listNoteTemplates", "makeNoteTemplate", "changeNoteTemplate",
    "openImport", "sendImportFile", "listImports", "getImport", "listImportRows", "applyImport", "dropImport",
    "exportClinic", "exportClient",
    "sendPhoto", "removePhoto", "sendAttachment", "listAttachments", "voidAttachment",
    "openUpload", "sendUploadBytes", "closeUpload", "retryMedia", "getMedia", "readMedia",
    "listRightsRequests", "openRightsRequest", "getRightsRequest", "advanceRightsRequest",
    "listClosures", "closeClinic", "getClosure", "changeClosure", "reopenClinic",
    "eraseClient",
    "listErasures",
    "getErasure",
    "getRetention",
    "setRetention",
]  # fmt: skip
"""Names that generated clients call. One is added with its route; renaming or losing one breaks every client."""

NOT_OF_ONE_OPERATION = {
    "method_not_allowed": "there is no operation where the method does not exist",
}


@pytest.fixture(scope="module")
async def document(service: Service) -> Any:
    """The document as clients fetch it, without signing in."""
    answer = await service.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.content)


def _operations(document: Any) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_valid(document: Any) -> None:
    """The document is valid OpenAPI 3.1."""
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_operation_ids(document: Any) -> None:
    """Operations keep their names, and no two share one."""
    names = [operation["operationId"] for operation in _operations(document)]
    assert sorted(names) == sorted(OPERATIONS)


def test_every_route(document: Any, service: Service) -> None:
    """Each route of the API is in the document, and nothing else: no page for people, no probe of the root."""
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    pages = ("/docs", "/portal/documents/{document_token}")
    elsewhere = {("GET", path) for path in ("/health/live", "/health/ready", "/api/v1/openapi.json", *pages)}
    assert described == routes(service.application.litestar) - elsewhere


def test_codes(document: Any) -> None:
    """Every code that a client may meet is in the document: in the schema of a problem, and beside its status."""
    codes = catalogue()
    assert set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(codes)
    beside: dict[str, set[str]] = {}
    for operation in _operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                beside.setdefault(status, set()).update(answer["description"].split(", "))
    for code, error in codes.items():
        if code not in NOT_OF_ONE_OPERATION:
            assert code in beside[str(status_of(error))]
        assert error.title


def test_events(document: Any) -> None:
    """Every kind of event is in the document, and what the stream's operation answers is one of them, or a problem."""
    schemas = document["components"]["schemas"]
    assert set(schemas["EventKind"]["enum"]) == set(CATALOGUE)
    assert {each["properties"]["kind"]["const"] for each in schemas["Event"]["oneOf"]} == set(CATALOGUE)
    [stream] = [each for each in _operations(document) if each["operationId"] == "streamEvents"]
    refusals = {"401", "403", "404", "422", "429", "500", "503"}
    assert set(stream["responses"]) == {"200", *refusals}
    assert stream["responses"]["200"]["content"]["text/event-stream"]["schema"]["$ref"] == "#/components/schemas/Event"
    for status in refusals:
        [answer] = stream["responses"][status]["content"].items()
        assert answer == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}}), status


def test_every_schema_is_used(document: Any) -> None:
    """The document holds no schema that nothing refers to, but the list of kinds."""
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document["paths"])))
    while (
        further := {
            name
            for found in referred
            for name in re.findall(
                r'"#/components/schemas/([^"]+)"', json.dumps(document["components"]["schemas"][found])
            )
        }
        - referred
    ):
        referred |= further
    assert set(document["components"]["schemas"]) - referred <= {"EventKind"}


def test_access(document: Any) -> None:
    """The document says of each operation who may call it."""
    for path, operation in ((path, each) for path, methods in document["paths"].items() for each in methods.values()):
        name = operation["operationId"]
        assert operation["summary"], name
        if operation["security"]:
            assert {"401", "403"} <= set(operation["responses"]), name
        assert ("x-permission" in operation) == ("{clinic}" in path and bool(operation["security"])), name


def test_files(document: Any) -> None:
    """Whoever sends a file is told how: as bytes, or as a form; and in which kinds files are read."""
    paths = document["paths"]
    bodies = {
        operation["operationId"]: set(operation["requestBody"]["content"])
        for methods in paths.values()
        for operation in methods.values()
        if "application/json" not in operation.get("requestBody", {}).get("content", {"application/json": 0})
    }
    either = {"application/octet-stream", "multipart/form-data"}
    assert bodies == {
        "sendPhoto": either,
        "sendAttachment": either,
        "sendUploadBytes": {"application/octet-stream"},
        "sendImportFile": {"text/csv"},
    }
    read = paths["/api/v1/clinics/{clinic}/media/{media_id}/{variant}"]["get"]["responses"]
    assert set(read["200"]["content"]) == set(read["206"]["content"]) == {"image/webp", "application/pdf"}
