"""Who somebody is, as an identity provider proves it."""

from datetime import datetime, timedelta
from typing import Protocol

import msgspec


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified token says. Instants are aware and UTC.

    Attributes:
        uid: the provider's id of the person.
        signed_in_at: when the person last proved who they are (`auth_time`).
        issued_at: when this token was made; older than the person's revocation means revoked.
        verified_at: when the provider stood by it.
    """

    uid: str
    email: str | None
    email_verified: bool
    display_name: str | None
    signed_in_at: datetime
    issued_at: datetime
    expires_at: datetime
    verified_at: datetime


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a person stands with the provider now.

    Attributes:
        exists: False once deleted.
        valid_since: tokens issued before it are revoked; None where nothing was ever revoked.
    """

    exists: bool
    disabled: bool = False
    valid_since: datetime | None = None

    def accepts(self, issued_at: datetime) -> bool:
        """Whether a token issued then still stands for this person."""
        return self.exists and not self.disabled and (self.valid_since is None or issued_at >= self.valid_since)


class TokenRejected(Exception):
    """The token proves nothing: malformed, forged, expired, or for another project."""


class TokenRevoked(TokenRejected):
    """The token was good once; its person was disabled, deleted, or signed out everywhere since."""


class Identity(Protocol):
    """The conversation with the identity provider.

    Every method raises `Unavailable` where the provider does not answer in time.
    """

    async def verify_token(self, id_token: str) -> Claims:
        """Verify a bearer's ID token, revocation included.

        Raises:
            TokenRejected: it proves nothing.
            TokenRevoked: it did, and no longer does.
        """
        ...

    async def verify_session(self, cookie: str) -> Claims:
        """Verify a session cookie, revocation included. Raises as `verify_token`."""
        ...

    async def start_session(self, id_token: str, lifetime: timedelta) -> str:
        """Mint a session cookie from an ID token. Lifetime: 5 minutes to 14 days. Raises as `verify_token`."""
        ...

    async def delete_account(self, uid: str) -> None:
        """Delete this person's account for good; where there is none, nothing is left to do."""
        ...

    async def standing(self, uids: list[str]) -> dict[str, Standing]:
        """How these people stand now, one provider call per 100; every uid asked for is answered."""
        ...
