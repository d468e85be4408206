"""Handing out sheets as documents of the clinic: numbered, verifiable by anybody who holds one, and withdrawable."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Conflict, FieldError, InvalidTransition
from coravet.core.kernel.fields import clean_fields, sound
from coravet.core.kernel.work import Begin
from coravet.core.records.model import Document
from coravet.core.records.ports import DocumentsWork
from coravet.core.records.sheets import FoundSheet, Sheet, SheetKind, Stamp
from coravet.core.records.views import DocumentView
from coravet.core.tenancy.clinic_day import day_of, time_zone

EVER = datetime(1, 1, 2, tzinfo=UTC)
CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of two processes may be apart, at most."""


class NotPrintable(Conflict):
    """What a sheet would show is not settled, or was entered in error."""

    code = "not_printable"
    title = "Not to be printed"


class Seal:
    """What a document's QR code says: an address with a token that only the holder of the key can make.

    A token is made of the key and the document's id, so that a document printed twice carries the same code, though
    its hash is all that is stored. Under a new key codes that were printed stay good, for their hashes are kept; what
    is printed again becomes a new document.

    Args:
        key: a secret of at least 32 bytes.
        pages: the address below which anybody may ask for a document, without a slash at its end.
    """

    def __init__(self, key: bytes, pages: str) -> None:
        self._key = key
        self._pages = pages

    def token(self, document_id: UUID) -> str:
        """The document's token: 144 bits, as 24 characters that addresses take as they are."""
        return urlsafe_b64encode(hmac.digest(self._key, b"document " + document_id.bytes, "sha256")[:18]).decode()

    def address(self, document_id: UUID) -> str:
        """What the document's QR code says."""
        return f"{self._pages}/{self.token(document_id)}"


def hash_token(token: str) -> bytes:
    """What is kept of a document's token: its SHA-256."""
    return sha256(token.encode()).digest()


def content_of(sheet: Sheet) -> bytes:
    """What a sheet shows, as its SHA-256: the same as long as it would show the same."""
    return sha256(msgspec.json.encode(sheet)).digest()


async def issue(
    kind: SheetKind, subject_id: UUID, actor: Actor, begin: Begin[DocumentsWork], clock: Clock, seal: Seal
) -> tuple[Sheet, Stamp]:
    """Hand out a sheet: the document that was issued last, where that is valid and shows the same, or a new one.

    What was issued before a new one stays valid: the paper was genuine, and says of what day it is.

    Raises:
        NotFound: no such subject here.
        NotPrintable: an encounter that is not signed, or anything that was entered in error.
    """
    async with begin(actor) as work:
        found = await _printable(work, kind, subject_id)
        document = await _issued(work, kind, subject_id, found, seal)
        if document is None:
            # Looked at again, now that nobody else can issue it nor withdraw what it shows.
            number = await work.documents.next_number()
            found = await _printable(work, kind, subject_id)
            document = await _issued(work, kind, subject_id, found, seal)
        if document is None:
            document_id, now = work.new_id(), clock.now()
            document = Document(
                clinic_id=actor.clinic_id,
                id=document_id,
                number=number,
                kind=kind,
                patient_id=found.patient_id,
                subject_id=subject_id,
                content=content_of(found.sheet),
                token_hash=hash_token(seal.token(document_id)),
                issued_at=now,
                issued_on=day_of(now, time_zone(actor.time_zone)),
                issued_by=actor.member_id,
            )
            await work.documents.add(document)
    return found.sheet, Stamp(document.number, document.issued_at, document.issued_on, seal.address(document.id))


async def _printable(work: DocumentsWork, kind: SheetKind, subject_id: UUID) -> FoundSheet:
    found = await work.sheets.find(kind, subject_id)
    if found == "unsigned":
        raise NotPrintable("Only a signed visit has a summary. Sign it first.")
    if found == "voided":
        raise NotPrintable("It was entered in error, so that it is not printed.")
    return found


async def _issued(
    work: DocumentsWork, kind: SheetKind, subject_id: UUID, found: FoundSheet, seal: Seal
) -> Document | None:
    """The document that shows this already and can be printed again; None where there is none."""
    latest = await work.documents.latest(kind, subject_id)
    if latest is None or latest.withdrawn_at is not None or latest.content != content_of(found.sheet):
        return None
    return latest if latest.token_hash == hash_token(seal.token(latest.id)) else None


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a document is not to be relied on. Who scans its code is told that it was withdrawn, and not why."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


def check_withdrawal(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
    """The reason in its normal form, and what is wrong with it."""
    return clean_fields(given, ("reason",), required=("reason",))


async def withdraw(
    document_id: UUID, command: Withdrawal, actor: Actor, begin: Begin[DocumentsWork], clock: Clock
) -> DocumentView:
    """Declare a document invalid, for good. Its subject can be printed again, as a new document.

    Raises:
        Invalid: the reason is blank or no text.
        NotFound: no such document here.
        InvalidTransition: it was withdrawn before.
    """
    fields = sound(check_withdrawal(msgspec.structs.asdict(command)))
    async with begin(actor) as work:
        document = await work.documents.lock(document_id)
        if document.withdrawn_at is not None:
            raise InvalidTransition("This document was withdrawn already.")
        document.withdrawn_at = clock.now()
        document.withdrawn_by = actor.member_id
        document.withdraw_reason = fields["reason"]
        return work.answer(await work.documents.view(document.id))


Shown = Mapping[SheetKind, UUID | None]
"""Where something is shown: the subject of each kind of sheet; None where there is none."""


async def withdraw_shown(work: DocumentsWork, shown: Shown, now: datetime, reason: str, since: datetime = EVER) -> None:
    """Withdraw the documents that show something which was entered in error, in the work that says so.

    Args:
        since: when it was recorded; what was issued before cannot show it.
    """
    subjects: list[tuple[SheetKind, UUID]] = [(kind, subject) for kind, subject in shown.items() if subject is not None]
    await work.documents.withdraw(subjects, since - CLOCKS_APART, now, work.actor.member_id, reason)
