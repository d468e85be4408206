"""Sheets handed out as documents: printing, listing and withdrawing them, and telling whether one is valid."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter

from coravet.core.kernel.errors import FieldError, NotFound, RateLimited
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.records.documents import NotPrintable, Withdrawal, check_withdrawal, hash_token, issue, withdraw
from coravet.core.records.sheets import SheetKind
from coravet.core.records.views import DocumentState, DocumentView
from coravet.entrypoints.http.access import permitted, public
from coravet.entrypoints.http.call import Call, Ports
from coravet.entrypoints.http.document_page import POLICY, document_page
from coravet.entrypoints.http.paging import Cursor, Limit

PAGES = "/portal/documents"
"""Where people are told about a document, below the service's own address: what its QR code says, before the token."""

HOLDERS = "Whoever holds the paper may ask whether it is valid; the token in its code is the proof."
PDF = "application/pdf"
MAY_BE_UNPRINTABLE: dict[str, object] = {"conflict": NotPrintable}

Token = Annotated[str, PathParameter(max_length=128, description="From the QR code.")]


def _withdrawal_errors(given: Mapping[str, Any], ports: Ports) -> list[FieldError]:  # noqa: ARG001 -- as every check
    return check_withdrawal(given)[1]


async def _printed(kind: SheetKind, subject_id: UUID, call: Call) -> Response[bytes]:
    sheet, stamp = await issue(kind, subject_id, call.actor, call.begin, call.ports.clock, call.ports.seal)
    # Files are named after what is no secret: they lie about in downloads.
    headers = {"Content-Disposition": f'inline; filename="documento-{stamp.number}.pdf"'}
    return Response(await call.ports.sheets.write(sheet, stamp), media_type=PDF, headers=headers)


@get(
    "/clinics/{clinic:str}/patients/{patient_id:uuid}/immunization-card.pdf",
    opt=permitted("immunizations:read"),
    operation_id="printImmunizationCard",
    tags=["Documents"],
    media_type=PDF,
)
async def get_card(patient_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A patient's vaccines and dewormings as PDF, but those entered in error.

    As long as it would show the same it is the same document, with the same number; otherwise it becomes the next one,
    and what was printed before stays valid.
    """
    return await _printed("card", patient_id, call)


@get(
    "/clinics/{clinic:str}/prescriptions/{prescription_id:uuid}/sheet.pdf",
    opt=permitted("records:read") | MAY_BE_UNPRINTABLE,
    operation_id="printPrescription",
    tags=["Documents"],
    media_type=PDF,
)
async def get_prescription_sheet(prescription_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A prescription as PDF, numbered as a card is; one that was entered in error is 409 `not_printable`."""
    return await _printed("prescription", prescription_id, call)


@get(
    "/clinics/{clinic:str}/encounters/{encounter_id:uuid}/summary.pdf",
    opt=permitted("records:read") | MAY_BE_UNPRINTABLE,
    operation_id="printVisitSummary",
    tags=["Documents"],
    media_type=PDF,
)
async def get_summary(encounter_id: FromPath[UUID], call: NamedDependency[Call]) -> Response[bytes]:
    """A signed visit as PDF, numbered as a card is; one that is not signed, or was entered in error, is 409."""
    return await _printed("visit_summary", encounter_id, call)


@get("/clinics/{clinic:str}/documents", opt=permitted("records:read"), operation_id="listDocuments", tags=["Documents"])
async def list_documents(
    call: NamedDependency[Call],
    limit: Limit = 50,
    cursor: Cursor = None,
    patient_id: FromQuery[UUID | None] = None,
) -> Page[DocumentView]:
    """Documents that were handed out, the newest first; of one patient where given."""
    async with call.begin(call.actor) as work:
        return await work.documents.views(PageRequest(limit, cursor), patient_id)


@post(
    "/clinics/{clinic:str}/documents/{document_id:uuid}/withdraw",
    opt=permitted("records:write") | {"check": _withdrawal_errors},
    operation_id="withdrawDocument",
    tags=["Documents"],
    status_code=200,
)
async def post_withdraw(
    document_id: FromPath[UUID], data: JSONBody[Withdrawal], call: NamedDependency[Call]
) -> DocumentView:
    """Declare a document invalid, for good: whoever scans its code is told so, and not why."""
    return await withdraw(document_id, data, call.actor, call.begin, call.ports.clock)


async def _state(token: str, call: Call) -> DocumentState | None:
    await call.ports.limits.count("reading", call.address)
    found = await call.ports.directory.document(hash_token(token))
    if found is None:
        return None
    return DocumentState(found.number, found.issued_on, found.clinic_name, "withdrawn" if found.withdrawn else "valid")


@get(
    "/portal/documents/{document_token:str}",
    opt=public(HOLDERS) | {"limited": True},
    operation_id="verifyDocument",
    tags=["Portal"],
)
async def get_document_state(document_token: Token, call: NamedDependency[Call]) -> DocumentState:
    """Whether a document is valid, by the token in its QR code. Nothing else of it is told."""
    state = await _state(document_token, call)
    if state is None:
        raise NotFound
    return state


@get(PAGES + "/{document_token:str}", opt=public(HOLDERS), include_in_schema=False)
async def show_document_state(document_token: Token, call: NamedDependency[Call]) -> Response[str]:
    """The same for people, as a page. A code that nobody printed is a 404 that says so, too many a 429."""
    headers = {"Content-Security-Policy": POLICY, "Content-Language": call.language, "X-Robots-Tag": "noindex"}
    try:
        found = await _state(document_token, call)
    except RateLimited as error:
        page, status = document_page("busy", call.language), 429
        headers["Retry-After"] = str(error.retry_after_seconds)
    else:
        page, status = document_page(found or "unknown", call.language), 200 if found else 404
    return Response(page, status_code=status, media_type="text/html", headers=headers)
