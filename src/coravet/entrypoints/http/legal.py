"""Legal texts for everybody, and deciding about them for whoever is signed in."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, PathParameter

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.legal.accept import NIL_CLINIC, NewAcceptance, decide, get_own, list_own
from coravet.core.legal.canonical import digest
from coravet.core.legal.model import Evidence
from coravet.core.legal.views import AcceptanceView, LegalTextView
from coravet.entrypoints.http.access import public, signed_in
from coravet.entrypoints.http.bodies import JsonRequest
from coravet.entrypoints.http.call import Call
from coravet.entrypoints.http.paging import Cursor, Limit

PROOF = "Which words somebody agreed to is proven in public: published texts are for everybody."
DECIDING = "Whoever is signed in may decide about the texts that bind them, and see what they decided."

ANYBODY = Actor(clinic_id=NIL_CLINIC, time_zone="UTC", user_id=None)
"""Who reads what is no clinic's."""

BROWSER = 500
"""Characters of a browser's own description that are kept."""

FileName = Annotated[str, PathParameter(max_length=64, description="`<version>.<locale>.md`, such as `1.0.es-EC.md`.")]


def evidence_of(request: JsonRequest, call: Call) -> Evidence:
    """From where this request comes."""
    browser = request.headers.get("user-agent", "").replace("\0", "")[:BROWSER]
    request_id: str = request.scope["request_id"]  # type: ignore[typeddict-item]  # the outermost middleware's
    return Evidence(address=call.address or None, browser=browser or None, request_id=request_id)


@get("/legal/documents", opt=public(PROOF), operation_id="listLegalDocuments", tags=["Legal"])
async def list_documents(call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None) -> Page[LegalTextView]:
    """Every published legal text: each version in each language, with its hash and the address where it stays.

    Of each document the version in force comes first, and of each version the Spanish text.
    """
    async with call.ports.begin(ANYBODY) as work:
        return await work.legal_texts.views(PageRequest(limit, cursor))


@get(
    "/legal/documents/{slug:str}/{file_name:str}",
    opt=public(PROOF),
    operation_id="getLegalDocument",
    tags=["Legal"],
    media_type="text/markdown",
    responses={304: ResponseSpec(None, description="It is known under that ETag, and never changes.")},
)
async def get_document(
    slug: FromPath[str],
    file_name: FileName,
    call: NamedDependency[Call],
    if_none_match: Annotated[str, HeaderParameter(name="If-None-Match")] = "",
) -> Response[bytes]:
    """The words of one version in one language, which never change: their SHA-256 in hex is their ETag."""
    version, _, locale = file_name.removesuffix(".md").rpartition(".")
    if not file_name.endswith(".md") or "\0" in slug + file_name:
        raise NotFound
    async with call.ports.begin(ANYBODY) as work:
        body = await work.legal_texts.body(slug, version, locale)
    if body is None:
        raise NotFound
    data = body.encode()
    told = digest(data)
    headers = {"ETag": f'"{told}"', "Cache-Control": "public, max-age=31536000, immutable"}
    if told in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    return Response(data, media_type="text/markdown", headers=headers)


@post(
    "/legal/acceptances",
    opt=signed_in(DECIDING, legal_exempt=True),
    operation_id="decideAboutLegalDocument",
    tags=["Legal"],
)
async def post_acceptance(
    data: JSONBody[NewAcceptance], request: JsonRequest, call: NamedDependency[Call]
) -> AcceptanceView:
    """Accept, decline or withdraw one version of a legal text, by the hash of what was shown; answers a receipt."""
    user_id = call.granted.person.user.id
    return await decide(data, user_id, evidence_of(request, call), call.system_begin, call.ports.clock)


@get(
    "/legal/acceptances",
    opt=signed_in(DECIDING, legal_exempt=True),
    operation_id="listOwnAcceptances",
    tags=["Legal"],
)
async def list_acceptances(
    call: NamedDependency[Call], limit: Limit = 50, cursor: Cursor = None
) -> Page[AcceptanceView]:
    """Receipts for everything that one decided about legal texts, the newest first."""
    return await list_own(call.granted.person.user.id, PageRequest(limit, cursor), call.system_begin)


@get(
    "/legal/acceptances/{acceptance_id:uuid}",
    opt=signed_in(DECIDING, legal_exempt=True),
    operation_id="getOwnAcceptance",
    tags=["Legal"],
)
async def get_acceptance(acceptance_id: FromPath[UUID], call: NamedDependency[Call]) -> AcceptanceView:
    """The receipt for one decision of one's own."""
    return await get_own(acceptance_id, call.granted.person.user.id, call.system_begin)
