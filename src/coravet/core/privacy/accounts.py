"""Forgetting a person who signs in: CoraVet is controller of its own accounts (LOPDP art. 15).

The person goes from everywhere at once, from every clinic, in one transaction. What they signed keeps their name: a
clinical record that does not say who answers for it would be none. Their account at the identity provider follows by a
job, and meanwhile opens nothing here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import NO_CLINIC, UserId
from coravet.core.kernel.apart import KeptApart
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.events import MemberDeactivated, ResourceChanged
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.jobs import Job
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import SystemBegin
from coravet.core.privacy.certificates import certified
from coravet.core.privacy.leaving_ports import AccountErasure, AccountWork, LockedAccount
from coravet.core.tenancy.identity import Identity

REASON = "forget an account"
SIGNED = (
    "LOPDP art. 18: the record of an animal's treatment must say who signed it, for the clinic's legal duties and for "
    "claims; to be reviewed together with the clinic's term for clinical records (provisional)"
)
"""Why names and registration numbers stay on signed records; no statute sets a term, so each clinic's own applies."""


class DeleteAccount(Job, frozen=True, tag="account.delete"):
    """An account was erased here, and is to be deleted at the identity provider."""

    erasure_id: UUID


class HeldBack(msgspec.Struct, frozen=True):
    """What was kept of a person, and why: in how many rows of each table they are named as who signed."""

    category: Literal["clinical_record"]
    basis: str
    rows: dict[str, int]


class AccountCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is certified of an account that was erased.

    Attributes:
        user_id: all that is left of the account, and all by which what its person did is held together.
        rows: how many rows of each table were changed or deleted.
    """

    subject: Literal["account"] = "account"
    erasure_id: UUID
    user_id: UserId
    erased_at: datetime
    rows: dict[str, int]
    held_back: list[HeldBack]


class AccountEntry(msgspec.Struct, frozen=True, kw_only=True, tag="account"):
    """What is kept apart of an erased account: whatever backup brings it back, it is erased again."""

    erasure_id: UUID
    user_id: UserId
    erased_at: datetime


async def forget_account(who: str, reason: str, begin: SystemBegin[AccountWork], clock: Clock, apart: KeptApart) -> str:
    """Erase the account of the person with this mail address or, where several have it, with this id.

    Args:
        reason: why; kept with the erasure, never in the certificate.

    Returns:
        The certificate, as JSON.

    Raises:
        Invalid: there is no reason, no such account or more than one, or nobody would be left to own a clinic.
        Unavailable: the register that is kept apart does not answer; nothing was done here, but it may hold the entry,
            and then a replay does it, as repeating this does.
    """
    fields, errors = clean_fields({"who": who, "reason": reason}, ("who", "reason"), required=("who", "reason"))
    if errors:
        raise Invalid(errors=errors)
    async with begin(REASON) as work:
        account = await _account(fields["who"], work)
        clinics = await work.accounts.owned_alone(account.user_id)
        if clinics:
            sentence = Sentence(
                "Nobody else owns {clinics}. Make somebody else an owner there first, or let the clinic leave.",
                clinics=", ".join(clinics),
            )
            raise Invalid(errors=[FieldError("/who", "last_owner", sentence)])
        entry = AccountEntry(erasure_id=work.new_id(), user_id=account.user_id, erased_at=clock.now())
        certificate = await _erase(account, entry, fields["reason"], work)
        # Last before the commit, as with every erasure.
        await apart.append("departures", msgspec.json.encode(entry))
    return certificate


async def _account(who: str, work: AccountWork) -> LockedAccount:
    try:
        found: Sequence[UserId] = [UserId(UUID(who))]
    except ValueError:
        found = [user_id for user_id, _ in await work.accounts.named(who.casefold())]
    if len(found) > 1:
        several = Sentence(
            "Several people have signed in with this address. Find out who is meant, and name the account: {ids}.",
            ids=", ".join(map(str, found)),
        )
        raise Invalid(errors=[FieldError("/who", "ambiguous", several)])
    account = await work.accounts.lock(found[0]) if found else None
    if account is None:
        nobody = "Nobody has this account: nobody ever had, or they were erased."
        raise Invalid(errors=[FieldError("/who", "unknown", nobody)])
    return account


async def _erase(account: LockedAccount, entry: AccountEntry, reason: str, work: AccountWork) -> str:
    # First, for it is found by the words that go with the places.
    rows = await work.accounts.erase(account)
    for row in await work.accounts.leave(account):
        told = MemberDeactivated if row.kind == "member" else ResourceChanged
        work.emit(told(row.id, row.version), row.clinic_id)
    signed = await work.accounts.held_back(account.user_id)
    certificate = certified(
        AccountCertificate(
            erasure_id=entry.erasure_id,
            user_id=entry.user_id,
            erased_at=entry.erased_at,
            rows=rows,
            held_back=[HeldBack("clinical_record", SIGNED, signed)] if signed else [],
        )
    )
    await work.accounts.record(
        AccountErasure(
            id=entry.erasure_id,
            user_id=entry.user_id,
            uid=account.uid,
            reason=reason,
            erased_at=entry.erased_at,
            certificate=certificate,
        )
    )
    # The queue keeps what it did not manage: so the job names the erasure, and that forgets the uid once it is done.
    await work.jobs.defer(DeleteAccount(NO_CLINIC, entry.erasure_id), once=str(entry.erasure_id))
    return certificate


async def delete_account(erasure_id: UUID, begin: SystemBegin[AccountWork], clock: Clock, identity: Identity) -> None:
    """Delete an erased account at the identity provider; one that is not there is deleted.

    Raises:
        Unavailable: the provider does not answer.
    """
    async with begin("delete an account") as work:
        uid = await work.accounts.uid(erasure_id)
    if uid is None:
        return
    await identity.delete_account(uid)
    async with begin("delete an account") as work:
        await work.accounts.completed(erasure_id, clock.now())


async def repeat_account(entry: AccountEntry, begin: SystemBegin[AccountWork]) -> bool:
    """Erase an account again that a restored backup brought back; answers whether it did.

    Whom the backup knows as a clinic's only owner was not, any more, when they were erased.
    """
    async with begin("replay departures") as work:
        account = await work.accounts.lock(entry.user_id)
        if account is None:
            return False
        await _erase(account, entry, "replayed", work)
    return True
