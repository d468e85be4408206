"""The OpenAPI document: what Litestar derives from the routes, with our errors and events in it."""

import re
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme

from coravet.core.kernel.errors import Conflict, FieldError
from coravet.core.kernel.events import CATALOGUE, Author, EventData, Subject
from coravet.core.legal.gate import OpenDocument
from coravet.core.scheduling.views import AppointmentView
from coravet.entrypoints.http.access import Access
from coravet.entrypoints.http.problems import catalogue, status_of

Code = Literal[tuple(catalogue())]  # type: ignore[valid-type]


WITHOUT_KEY = frozenset({"createSession"})
"""Signing in stores nothing that a repeated request could double, and its cookie is kept nowhere."""

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body replays the first answer for 24 hours; another body is 409.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


ACCEPT_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "The language of a problem's sentences: es or en, with weights as browsers send them.",
    "schema": {"type": "string", "default": "es"},
}
CONTENT_LANGUAGE = {
    "Content-Language": {
        "description": "The language of the problem's sentences.",
        "schema": {"type": "string", "enum": ["es", "en"]},
    }
}


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457). `code` is stable: route on it."""

    type: str
    title: str
    status: int
    detail: str
    code: Code  # type: ignore[valid-type]
    request_id: str
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET
    version: int | msgspec.UnsetType = msgspec.UNSET
    current_status: str | msgspec.UnsetType = msgspec.UNSET
    rescheduled_to_id: UUID | msgspec.UnsetType = msgspec.UNSET
    received: int | msgspec.UnsetType = msgspec.UNSET
    documents: list[OpenDocument] | msgspec.UnsetType = msgspec.UNSET
    document: OpenDocument | msgspec.UnsetType = msgspec.UNSET
    appointments: list[AppointmentView] | msgspec.UnsetType = msgspec.UNSET
    appointments_total: int | msgspec.UnsetType = msgspec.UNSET


def responses(opt: dict[str, Any], module: str, *, changes: bool) -> dict[int, ResponseSpec]:
    """The refusals that a route with this access may answer.

    Args:
        module: of the route; it has the name of the noun whose conflicts it may meet.
    """
    access: Access = opt["access"]
    statuses = {404, 422, 503, 500}
    if changes or not access.public:
        statuses |= {401, 403}
    if changes:
        statuses |= {409, 413, 415}
    if opt.get("limited"):
        statuses.add(429)
    conflict: type[Conflict] | None = opt.get("conflict")  # the one that a read may meet
    kinds = catalogue().values()
    nouns = {each.__module__.split(".")[2] for each in kinds if each.__module__.startswith("coravet.core.")}
    noun = module.rpartition(".")[2]
    other = nouns - {"kernel", noun} if noun in nouns else set()
    told = {
        status: sorted(
            kind.code
            for kind in kinds
            if status_of(kind) == status and not (issubclass(kind, Conflict) and kind.__module__.split(".")[2] in other)
        )
        for status in statuses
    }
    if conflict is not None:
        told[status_of(conflict)] = [conflict.code]
    return {
        status: ResponseSpec(
            Problem, description=", ".join(codes), media_type="application/problem+json", generate_examples=False
        )
        for status, codes in sorted(told.items())
    }


class _Nowhere(Router):
    """Takes no route: Litestar would serve its own pages beside ours, without saying who may see them."""

    def register(self, value: Any) -> list[Any]:  # noqa: ARG002 -- Litestar's
        return []


def config(cookie: str) -> OpenAPIConfig:
    """How Litestar describes the routes; the document is served by `document`."""
    return OpenAPIConfig(
        title="CoraVet",
        version="1",
        description=(
            "The service of veterinary clinics. Browsers exchange a Firebase ID token for a session cookie at "
            "POST /session and send their Origin with every change; scripts send Authorization: Bearer and the ID "
            "token. Errors are application/problem+json: route by their codes, which never change, and show their "
            "sentences, which are Spanish or English as Accept-Language prefers, Spanish where it names neither."
        ),
        use_handler_docstrings=True,
        openapi_router=_Nowhere("/", route_handlers=[]),
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="apiKey", name=cookie, security_scheme_in="cookie"),
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="Firebase ID token"),
            }
        ),
    )


def document(app: Litestar) -> dict[str, Any]:
    """The OpenAPI 3.1 document.

    Beyond what Litestar derives: who may call each operation (`x-permission`, `x-operator`), the Idempotency-Key, every
    event of the stream, names of pages that a generated client can live with, and none of the 400s that this service
    never answers.
    """
    derived = msgspec.json.encode(app.openapi_schema.to_schema()).decode()
    described: dict[str, Any] = msgspec.json.decode(re.sub(r"\bPage_[\w.]*\.(\w+?)_\b", r"\1Page", derived))
    access = {
        handler.operation_id: handler.opt["access"]
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if "access" in handler.opt
    }
    for methods in described["paths"].values():
        for method, operation in methods.items():
            operation["summary"] = operation["description"].partition(".")[0].partition(";")[0]
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "clinic":
                    parameter["description"] = "The clinic's slug, as GET /session lists it."
            if method == "post" and operation["operationId"] not in WITHOUT_KEY:
                operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            operation.setdefault("parameters", []).append(ACCEPT_LANGUAGE)
            operation["responses"].pop("400", None)
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    answer["headers"] = {**answer.get("headers", {}), **CONTENT_LANGUAGE}
            operation["responses"].get("204", {}).pop("content", None)
            granted: Access = access[operation["operationId"]]
            operation["security"] = [] if granted.public else [{"session": []}, {"bearer": []}]
            if granted.permission is not None:
                operation["x-permission"] = granted.permission
            if granted.operator:
                operation["x-operator"] = True
    _tell_of_events(described)
    return described


def _tell_of_events(described: dict[str, Any]) -> None:
    """Every kind with its subject: Litestar knows one struct for all of them, and clients want what each holds."""
    schemas = described["components"]["schemas"]
    schemas["EventKind"] = {"type": "string", "enum": sorted(CATALOGUE)}
    schemas["Event"] = {
        "description": "The `data` of one frame of the event stream.",
        "oneOf": [
            {
                "type": "object",
                "title": kind,
                "description": f"{(event.__doc__ or '').strip()} Audience: {event.audience}.",
                "required": ["id", "kind", "at", "actor", "subject"],
                "properties": {
                    "id": {"type": "integer"},
                    "kind": {"const": kind},
                    "at": {"type": "string", "format": "date-time"},
                    "actor": {
                        "type": "object",
                        "required": ["user_id"],
                        "properties": {"user_id": {"type": ["string", "null"], "format": "uuid"}},
                    },
                    "subject": {
                        "type": "object",
                        "required": ["type", "id", "version"],
                        "properties": {
                            "type": {"const": event.subject_type},
                            "id": {"type": "string", "format": "uuid"},
                            "version": {"type": ["integer", "null"]},
                        },
                    },
                },
            }
            for kind, event in sorted(CATALOGUE.items())
        ],
    }
    for methods in described["paths"].values():
        streamed = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "text/event-stream" in streamed:
            streamed["text/event-stream"]["schema"] = {"$ref": "#/components/schemas/Event"}
    for replaced in (EventData, Author, Subject):
        schemas.pop(replaced.__name__, None)
