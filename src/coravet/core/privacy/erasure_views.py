"""What is told of erasures, and of what is kept how long."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import ClinicId, MemberId

Category = Literal[
    "identity", "clinical_record", "appointments", "messages", "guest_requests", "acceptances", "rights_requests"
]


class RetentionRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long one kind of data is held back from erasure.

    Attributes:
        basis: the law or contract that asks for it.
        months: after the clinic last dealt with the person; 0 where it goes when its person asks for that.
        review_on: when somebody is to look whether the rule still holds.
        provisional: until a lawyer has confirmed it.
    """

    category: Category
    basis: Annotated[str, Meta(min_length=1, max_length=300)]
    months: Annotated[int, Meta(ge=0, le=600)]
    review_on: date | None = None
    provisional: bool = True


class RetentionView(msgspec.Struct, frozen=True):
    """The rule for each kind of data: the clinic's own, or the one that is shipped."""

    rules: list[RetentionRule]


class Held(msgspec.Struct, frozen=True):
    """A kind of data that was not erased but blocked: nobody can read it, and it is erased after `until`.

    Attributes:
        rows: how many are blocked.
        review_on: when somebody is to look whether the rule still holds.
    """

    category: Category
    rows: int
    basis: str
    until: date
    review_on: date | None
    provisional: bool


class Certificate(msgspec.Struct, frozen=True):
    """That a person was erased, without anything that tells who it was.

    Attributes:
        number: the clinic's, counted from 1.
        subject_id: what is left of the person, which refers to nobody.
        request_id: of the rights request that asked for it.
        rows: of how many rows of each table something was cleared, replaced, cut out or deleted.
        held: what the law holds back for a time.
    """

    number: int
    clinic_id: ClinicId
    subject_type: str
    subject_id: UUID
    request_id: UUID | None
    erased_at: datetime
    rows: dict[str, int]
    held: list[Held]


class ErasureView(msgspec.Struct, frozen=True):
    """An erasure with its certificate; `sha256` is the hexadecimal hash of the certificate's JSON, as it is here."""

    id: UUID
    requested_by: MemberId | None
    certificate: Certificate
    sha256: str
