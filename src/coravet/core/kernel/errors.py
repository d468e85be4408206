"""What a use case may answer instead of success.

Five bases, each mapped to one status at the edge. A concrete error has a stable `code` that clients route on.
"""

from typing import Any, ClassVar

import msgspec

from coravet.core.kernel.sentences import Sentence


class FieldError(msgspec.Struct, frozen=True, dict=True):
    """One bad field: a JSON pointer (RFC 6901) into the body, a code, and a sentence."""

    pointer: str
    code: str
    detail: str

    def __post_init__(self) -> None:
        # msgspec writes no kinds of text but text itself: what the sentence remembers is kept beside the fields.
        self.__dict__["sentence"] = self.detail
        msgspec.structs.force_setattr(self, "detail", str.__str__(self.detail))

    @property
    def said(self) -> str:
        """The detail as it was said: a `Sentence` where it was one, which other languages are made from."""
        said: str = self.__dict__["sentence"]
        return said


class DomainError(Exception):
    """Something that the domain refuses.

    Attributes:
        code: stable; clients route on it, so it never changes its meaning.
        title: what the code means, in a few words.
        detail: what is wrong here and what to do, without personal data; a `Sentence` where values are filled in.
        extra: further members of the answer, such as the current version.
    """

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class NotFound(DomainError):
    """It does not exist, or not for this actor: both answer the same, so that neither can be told from the other."""

    code = "not_found"
    title = "Not found"

    def __init__(self) -> None:
        super().__init__("There is nothing here, or not for you.")


class Conflict(DomainError):
    """It contradicts what is already so."""


class Forbidden(DomainError):
    """The actor is known and may not do this."""

    code = "forbidden"
    title = "Not allowed"


class Invalid(DomainError):
    """What was sent breaks a rule; `errors` lists every bad field."""

    code = "invalid"
    title = "The request is not valid"

    def __init__(
        self, detail: str = "One or more fields are not valid.", errors: list[FieldError] | None = None
    ) -> None:
        super().__init__(detail, errors=errors or [])
        self.errors = errors or []


class UnsupportedMedia(DomainError):
    """What was sent is of a kind that is not read here."""

    code = "unsupported_media"
    title = "Not a format that is read here"


class Unavailable(DomainError):
    """A part that is needed does not answer now; trying again later may help."""

    code = "unavailable"
    title = "Unavailable for the moment"

    def __init__(self, detail: str, retry_after_seconds: int = 2) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class RateLimited(DomainError):
    """Too much was asked for at once; waiting helps."""

    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, retry_after_seconds: int = 60) -> None:
        super().__init__("Wait a moment before you try again.")
        self.retry_after_seconds = retry_after_seconds


class StaleVersion(Conflict):
    """Somebody changed it since the caller read it; `version` is the current one."""

    code = "stale_version"
    title = "Changed by somebody else"

    def __init__(self, current: int | None = None) -> None:
        extra = {} if current is None else {"version": current}
        super().__init__("It has changed since you read it. Read it again and repeat your change.", **extra)


class Duplicate(Conflict):
    """It exists already."""

    code = "duplicate"
    title = "It exists already"


class InvalidTransition(Conflict):
    """Its state does not allow this step."""

    code = "invalid_transition"
    title = "Not possible in this state"


class UploadOffset(Conflict):
    """These bytes are here already, or others are missing before them; `received` says from where to go on."""

    code = "upload_offset"
    title = "Go on from another byte"

    def __init__(self, received: int) -> None:
        super().__init__(
            Sentence("Send the file from byte {received} on: up to there it has arrived.", received=received),
            received=received,
        )


class IdempotencyMismatch(Conflict):
    """The key was used before for another request."""

    code = "idempotency_mismatch"
    title = "Idempotency-Key used for another request"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a different request. Send a new key.")


class PatientDeceased(Conflict):
    """The patient has died: nothing is arranged for it any more."""

    code = "patient_deceased"
    title = "The patient has died"

    def __init__(self) -> None:
        super().__init__("This patient is registered as deceased. If that is wrong, correct it first.")
