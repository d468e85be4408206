"""What people decide about legal texts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.legal.documents import Capacity, Change, Decision


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A legal text as somebody was shown it: one version in one language, and the SHA-256 of its bytes in hex."""

    slug: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}$(?!\n)")]
    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,32}$(?!\n)")]
    locale: Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$(?!\n)")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """From where somebody decided, and by which request.

    Attributes:
        address, browser: of the person; kept beside the decision, and gone when the person is erased.
        request_id: names the request in the logs.
        screen, build: the page that showed the text, and its version, in a program's words.
    """

    address: str | None = None
    browser: str | None = None
    request_id: str | None = None
    screen: str | None = None
    build: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One decision in a clinic's chain, or under the nil clinic in that of what people decide for themselves.

    Exactly one of `user_id`, `client_id` and `guest_request_id` says whose decision it is.

    Attributes:
        number: from 1, without a gap.
        recorded_by: the member who wrote down what a client decided.
        sha256: of the text that was shown, in hex.
        commitment: a keyed hash of the address and the browser; None where neither was known.
        previous: the hash of the entry before; 32 zero bytes for the first.
    """

    clinic_id: ClinicId
    id: UUID
    number: int
    user_id: UserId | None
    client_id: UUID | None
    guest_request_id: UUID | None
    recorded_by: MemberId | None
    slug: str
    version: str
    locale: str
    sha256: str
    decision: Decision
    capacity: Capacity
    screen: str | None
    build: str | None
    request_id: str | None
    decided_at: datetime
    commitment: bytes | None
    previous: bytes
    hash: bytes


class Secret(msgspec.Struct, frozen=True):
    """What a commitment was made of: it proves from where somebody decided, until the person is erased."""

    address: str | None
    browser: str | None
    key: bytes


class PublishedText(msgspec.Struct, frozen=True, kw_only=True):
    """One published version in one language.

    Attributes:
        ordinal: its place among the versions of the slug, from 1.
        in_force: no later version was published.
    """

    slug: str
    version: str
    version_id: UUID
    ordinal: int
    change: Change
    published_at: datetime
    locale: str
    title: str
    sha256: str
    in_force: bool


class StoredText(msgspec.Struct, frozen=True):
    """A published text, and the SHA-256 in hex that its words have in the database now."""

    text: PublishedText
    stored: str
