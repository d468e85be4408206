"""An identity provider in memory, for unit tests; held to the same contract tests as Firebase."""

from datetime import datetime, timedelta
from secrets import token_urlsafe

import msgspec

from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import Unavailable
from coravet.core.tenancy.identity import Claims, Standing, TokenRejected, TokenRevoked


class _Person(msgspec.Struct):
    email: str | None
    email_verified: bool
    display_name: str | None
    disabled: bool = False
    valid_since: datetime | None = None


class MemoryIdentity:
    """The `Identity` port over people held here, with opaque tokens; instants are whole seconds, as in a JWT.

    Attributes:
        reachable: while False every question ends in `Unavailable`.
        calls: how many questions were asked.
    """

    def __init__(self, *, clock: Clock) -> None:
        self.reachable = True
        self.calls = 0
        self._clock = clock
        self._people: dict[str, _Person] = {}
        self._tokens: dict[str, Claims] = {}
        self._sessions: dict[str, Claims] = {}

    def enroll(
        self, email: str | None, *, uid: str | None = None, display_name: str | None = None, email_verified: bool = True
    ) -> str:
        """Create a person; answers the uid."""
        uid = uid or token_urlsafe(21)
        self._people[uid] = _Person(email, email_verified, display_name)
        return uid

    def sign_in(self, uid: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        """An ID token for this person; one with a negative lifetime has expired."""
        person = self._people[uid]
        token = token_urlsafe()
        self._tokens[token] = Claims(
            uid=uid,
            email=person.email,
            email_verified=person.email_verified,
            display_name=person.display_name,
            signed_in_at=self._now(),
            issued_at=self._now(),
            expires_at=self._now() + lifetime,
            verified_at=self._now(),
        )
        return token

    def disable(self, uid: str) -> None:
        self._people[uid].disabled = True

    def delete(self, uid: str) -> None:
        del self._people[uid]

    def revoke(self, uid: str) -> None:
        """Sign the person out everywhere: what was issued before this second is void."""
        self._people[uid].valid_since = self._now()

    async def verify_token(self, id_token: str) -> Claims:
        return self._verified(self._tokens, id_token)

    async def verify_session(self, cookie: str) -> Claims:
        return self._verified(self._sessions, cookie)

    async def start_session(self, id_token: str, lifetime: timedelta) -> str:
        if not timedelta(minutes=5) <= lifetime <= timedelta(days=14):
            raise ValueError(f"A session lasts from 5 minutes to 14 days, not {lifetime}.")
        claims = self._verified(self._tokens, id_token)
        cookie = token_urlsafe()
        self._sessions[cookie] = msgspec.structs.replace(
            claims, issued_at=self._now(), expires_at=self._now() + lifetime
        )
        return cookie

    async def delete_account(self, uid: str) -> None:
        self._ask()
        self._people.pop(uid, None)

    async def standing(self, uids: list[str]) -> dict[str, Standing]:
        self._ask()
        return {uid: self._standing(uid) for uid in uids}

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def _ask(self) -> None:
        self.calls += 1
        if not self.reachable:
            raise Unavailable("The identity provider does not answer.")

    def _standing(self, uid: str) -> Standing:
        person = self._people.get(uid)
        if person is None:
            return Standing(exists=False)
        return Standing(exists=True, disabled=person.disabled, valid_since=person.valid_since)

    def _verified(self, issued: dict[str, Claims], token: str) -> Claims:
        self._ask()
        claims = issued.get(token)
        if claims is None or claims.expires_at <= self._clock.now():
            raise TokenRejected("The token is not valid for this service.")
        if not self._standing(claims.uid).accepts(claims.issued_at):
            raise TokenRevoked("The person was disabled, deleted or signed out.")
        return msgspec.structs.replace(claims, verified_at=self._clock.now())
