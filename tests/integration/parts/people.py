"""People in the Auth emulator."""

from dataclasses import dataclass
from secrets import token_hex
from time import time
from typing import Any

import httpx


@dataclass(frozen=True)
class Person:
    """An account: Firebase's uid, its address and its password."""

    uid: str
    email: str
    password: str


class People:
    """Makes accounts in the emulator at `host` (host:port) and signs them in, as a browser would."""

    def __init__(self, host: str, project: str = "demo-coravet") -> None:
        self._project = project
        self._client = httpx.AsyncClient(
            base_url=f"http://{host}/identitytoolkit.googleapis.com/v1",
            timeout=30,
        )

    async def create(self, name: str = "persona", *, verified: bool = True, email: str | None = None) -> Person:
        """An account at a new address that begins with `name`, or at `email`."""
        address = email or f"{name}-{token_hex(4)}@clinica.test"
        password = token_hex(8)
        body = {"email": address, "password": password, "displayName": name, "emailVerified": verified}
        made = await self._post(f"/projects/{self._project}/accounts", body)
        return Person(made["localId"], address, password)

    async def sign_in(self, person: Person) -> str:
        """A new ID token, good for an hour."""
        body = {"email": person.email, "password": person.password, "returnSecureToken": True}
        answer = await self._post("/accounts:signInWithPassword?key=test", body)
        return str(answer["idToken"])

    async def lookup(self, token: str) -> str:
        """The uid of an ID token that Firebase still accepts; an HTTP error for any other."""
        answer = await self._post("/accounts:lookup?key=test", {"idToken": token})
        return str(answer["users"][0]["localId"])

    async def disable(self, person: Person) -> None:
        """Switch the account off, as an administrator of Firebase does."""
        body = {"localId": person.uid, "disableUser": True}
        await self._post(f"/projects/{self._project}/accounts:update", body)

    async def delete(self, person: Person) -> None:
        """Delete the account, as an administrator of Firebase does."""
        await self._post(f"/projects/{self._project}/accounts:delete", {"localId": person.uid})

    async def revoke(self, person: Person) -> None:
        """Revoke the person's sessions, as an administrator of Firebase does: those of earlier seconds end."""
        body = {"localId": person.uid, "validSince": str(int(time()))}
        await self._post(f"/projects/{self._project}/accounts:update", body)

    async def close(self) -> None:
        """Close the connections to the emulator."""
        await self._client.aclose()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        # The administrator's way in is for the paths of the project; a browser has no such token.
        headers = {"Authorization": "Bearer owner"} if path.startswith("/projects/") else {}
        answer = await self._client.post(path, json=body, headers=headers)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found
