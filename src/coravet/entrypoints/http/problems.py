"""Errors as clients see them: `application/problem+json` (RFC 9457), mapped here and nowhere else."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException

from coravet.core.kernel.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Unavailable,
    UnsupportedMedia,
)
from coravet.core.kernel.work import Replayed
from coravet.entrypoints.http.access import SessionRevoked, Unauthenticated
from coravet.entrypoints.http.bodies import wording
from coravet.entrypoints.http.language import Language, language_of, told

PROBLEM = "application/problem+json"
log = structlog.get_logger("coravet.http")

_MISSING = re.compile(r"Missing required \w+ parameter '([^']+)'")


class PayloadTooLarge(DomainError):
    """The body is larger than the service reads."""

    code = "payload_too_large"
    title = "The body is too large"


class MethodNotAllowed(DomainError):
    """The address exists, the method does not."""

    code = "method_not_allowed"
    title = "Method not allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__("This address does not take that method.")
        # Litestar takes OPTIONS everywhere, to answer browsers that ask before they cross sites; nobody else gets any.
        self.allowed = sorted({method.strip() for method in allowed.split(",")} - {"", "OPTIONS"})


class Internal(DomainError):
    """A fault of ours; it has been reported."""

    code = "internal"
    title = "Something failed on our side"


STATUS: dict[type[DomainError], int] = {
    Unauthenticated: 401,
    SessionRevoked: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    PayloadTooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    RateLimited: 429,
    Internal: 500,
    Unavailable: 503,
}


def status_of(kind: type[DomainError]) -> int:
    """The status of an error: its own, or that of the nearest base that has one."""
    return next(STATUS[base] for base in kind.__mro__ if base in STATUS)


def catalogue() -> dict[str, type[DomainError]]:
    """Every code that a client may meet, with its error."""

    def below(kind: type[DomainError]) -> Iterator[type[DomainError]]:
        for sub in kind.__subclasses__():
            if "code" in vars(sub):
                yield sub
            yield from below(sub)

    return {kind.code: kind for kind in sorted(below(DomainError), key=lambda kind: (status_of(kind), kind.code))}


def problem(error: DomainError, request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """An error as its answer, in the language that the reader prefers."""
    language = language_of(request.headers)
    status = status_of(type(error))
    body: dict[str, Any] = {
        "type": f"urn:coravet:problem:{error.code}",
        "title": told(error.title, language),
        "status": status,
        "detail": told(error.detail, language),
        "code": error.code,
        "request_id": str(request.scope.get("request_id", "")),
    }
    body |= {name: msgspec.to_builtins(value) for name, value in error.extra.items()}
    if isinstance(error, Invalid):
        body["errors"] = [_told(each, language) for each in error.errors]
    # `Vary` is added where the request began: Litestar's CORS would replace it.
    headers: dict[str, str] = {"Content-Language": language}
    if isinstance(error, Unavailable | RateLimited):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="coravet"'
    return Response(body, status_code=status, media_type=PROBLEM, headers=headers)


def _told(error: FieldError, language: Language) -> dict[str, str]:
    return {"pointer": error.pointer, "code": error.code, "detail": told(error.said, language)}


def on_domain_error(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    """A refusal by the domain or the guards."""
    if isinstance(error, Unavailable):
        log.warning("unavailable", exc_info=error)
    return problem(error, request)


def on_replayed(request: Request[Any, Any, Any], answer: Replayed) -> Response[bytes]:
    """The answer that was given before under this Idempotency-Key."""
    return Response(
        answer.answer,
        status_code=getattr(request.route_handler, "status_code", 200),
        media_type=MediaType.JSON,
        headers={"Idempotency-Replayed": "true"},
    )


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What Litestar refuses before a handler runs."""
    if isinstance(error, ValidationException):
        return problem(Invalid(errors=_parameter_errors(request, error)), request)
    return problem(_meaning(error), request)


def _meaning(error: HTTPException) -> DomainError:  # noqa: PLR0911 -- a table, written as a match
    match error.status_code:
        case 400:
            return Invalid("The request cannot be read.")
        case 404:
            return NotFound()
        case 405:
            return MethodNotAllowed((error.headers or {}).get("allow", ""))
        case 413:
            return PayloadTooLarge("Send less at once.")
        case 415:
            return UnsupportedMedia("Send the body as application/json.")
        case 429:
            return RateLimited()
    return Internal("It has been recorded under the request id. Try again later.")


def _parameter_errors(request: Request[Any, Any, Any], error: ValidationException) -> list[FieldError]:
    """The bad parameters of the address, each under the name that the address gives it."""
    if isinstance(error.extra, list):
        # Beside the bad ones, Litestar complains of those that the handler leaves to the guards, such as the clinic.
        parameters = request.route_handler.parsed_fn_signature.parameters
        left = {name for name in request.path_params if parameters[name].kwarg_definition is None}
        found = []
        for item in error.extra:
            name = item.get("key")
            if name in {None, "data"}:
                found.append(FieldError("", "required", "The request needs a JSON body."))
            elif name not in left:
                _, worded = wording(item["message"])
                found.append(FieldError(f"/{_wire_name(request, name)}", "invalid", worded))
        return found
    missing = _MISSING.match(error.detail)
    if missing:
        return [FieldError(f"/{missing[1]}", "required", "This parameter is required.")]
    return []


def _wire_name(request: Request[Any, Any, Any], name: str) -> str:
    field = request.route_handler.parsed_fn_signature.parameters.get(name)
    definition = getattr(field, "kwarg_definition", None)
    return getattr(definition, "name", None) or name


def on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A fault of ours: logged with its stack, told with its request id alone."""
    log.error("request_failed", exc_info=error)
    return problem(Internal("It has been recorded under the request id. Try again later."), request)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    DomainError: on_domain_error,
    Replayed: on_replayed,
    HTTPException: on_http_error,
    Exception: on_fault,
}
