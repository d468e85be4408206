"""What is told of legal texts and of decisions on them."""

from datetime import datetime
from uuid import UUID

import msgspec

from coravet.core.legal.documents import Audience, Capacity, Change, Decision


class LegalTextView(msgspec.Struct, frozen=True):
    """One published version of a legal text in one language.

    Attributes:
        sha256: of the bytes at `url`, in hex; it is their ETag, too.
        in_force: the version that holds now.
        blocking: whoever has it open is let in no further.
        audience: who decides about it.
    """

    slug: str
    version: str
    locale: str
    sha256: str
    url: str
    title: str
    audience: Audience
    blocking: bool
    change: Change
    in_force: bool
    published_at: datetime


class AcceptanceView(msgspec.Struct, frozen=True):
    """A receipt for one's own decision: enough to prove it, to oneself and against the service.

    Attributes:
        clinic: the slug of the clinic that was decided for; None for what is one's own affair.
        url: where the text that was shown stays.
        number, previous, hash: its place in the chain of decisions, in hex; see `legal.chain`.
        address, browser: from where it was decided, as long as that is kept.
        commitment: the keyed hash that binds them to the chain; `key` proves them.
    """

    id: UUID
    slug: str
    version: str
    locale: str
    sha256: str
    url: str
    decision: Decision
    capacity: Capacity
    clinic: str | None
    decided_at: datetime
    screen: str | None
    build: str | None
    request_id: str | None
    address: str | None
    browser: str | None
    commitment: str | None
    key: str | None
    number: int
    previous: str
    hash: str
