"""Letting a person run the service, across clinics."""

from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.fields import clean_fields
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.work import SystemBegin
from coravet.core.tenancy.ports import Account, TenancyWork


async def grant_operator(email: str, reason: str, begin: SystemBegin[TenancyWork]) -> None:
    """Make the person who signed in with that mail address an operator.

    Args:
        reason: why this person; kept with the grant.

    Raises:
        Invalid: there is no reason, or not exactly one person signed in with the address, verified by the identity
            provider: an address that nobody verified is anybody's, who need only sign up under it.
    """
    fields, errors = clean_fields({"reason": reason}, ("reason",), required=("reason",))
    async with begin("grant operator") as work:
        accounts = await work.operators.accounts(email.strip().casefold())
        why_not = _why_not(accounts)
        if why_not is not None:
            errors.append(FieldError("/email", *why_not))
        if errors:
            raise Invalid(errors=errors)
        await work.operators.grant(accounts[0].user_id, fields["reason"])


def _why_not(accounts: list[Account]) -> tuple[str, str] | None:
    """The code and sentence of a refusal."""
    match accounts:
        case []:
            return (
                "never_signed_in",
                Sentence("Nobody with this mail address has signed in yet; let them sign in once, then grant it."),
            )
        case [account]:
            if account.email_verified:
                return None
            return (
                "not_verified",
                Sentence(
                    "This mail address was not verified when its person signed in; "
                    "let them verify it and sign in again."
                ),
            )
    return (
        "ambiguous",
        Sentence(
            "Several people have signed in with this mail address; "
            "let the right one sign in with an address of their own."
        ),
    )
