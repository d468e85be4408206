"""People's accounts, taken out of every clinic at once."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.privacy.erasure_ports import ERASED
from coravet.core.privacy.leaving_ports import AccountErasure, Left, LockedAccount

MINE = "(SELECT clinic_id, id FROM members WHERE user_id = $1)"
"""The person's places, in all clinics."""

SIGNED = {
    "addenda": "member_id",
    "dewormings": "vet_id",
    "encounters": "signed_by",
    "immunizations": "vet_id",
    "prescriptions": "vet_id",
}
"""Tables of signed records, each with the column that says who signed: by that the person's name stays beside it."""


# What the person was answered in the last day, and what others were that names them: an answer is kept for whoever asks
# the same again, and without it they are told anew.
_ANSWERS = """
WITH places AS MATERIALIZED (SELECT clinic_id, id, registration_number FROM members WHERE user_id = $1),
words AS MATERIALIZED (
    SELECT NULL::uuid AS clinic_id, email AS word FROM users WHERE id = $1
    UNION ALL SELECT p.clinic_id, u.display_name FROM users u CROSS JOIN places p WHERE u.id = $1
    UNION ALL SELECT clinic_id, registration_number FROM places
    UNION ALL SELECT r.clinic_id, r.name
    FROM resources r JOIN places p ON p.clinic_id = r.clinic_id AND p.id = r.member_id
)
DELETE FROM idempotency_keys k WHERE k.user_id = $1 OR EXISTS (
    SELECT FROM words w WHERE w.word <> '' AND coalesce(w.clinic_id, k.clinic_id) = k.clinic_id
    AND position(convert_to(w.word, 'UTF8') IN k.answer) > 0
)
"""


class AccountsOnPostgres:
    """The `Accounts` port. Locks in one order: the account, its places, clinics, resources, invitations."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def named(self, email: str) -> list[tuple[UserId, datetime]]:
        rows = await self._work.fetch(
            "SELECT id, created_at FROM users WHERE email = $1 AND email <> '' ORDER BY created_at", email
        )
        return [(row["id"], row["created_at"]) for row in rows]

    async def lock(self, user_id: UserId) -> LockedAccount | None:
        rows = await self._work.fetch("SELECT id, firebase_uid, email FROM users WHERE id = $1 FOR UPDATE", user_id)
        # Asked for once the lock is there: somebody else may have erased it meanwhile.
        if not rows or await self._work.fetch("SELECT FROM account_erasures WHERE user_id = $1", user_id):
            return None
        await self._work.fetch("SELECT FROM members WHERE user_id = $1 ORDER BY clinic_id FOR NO KEY UPDATE", user_id)
        return LockedAccount(*rows[0].values())

    async def owned_alone(self, user_id: UserId) -> list[str]:
        owned = "SELECT m.clinic_id FROM members m WHERE m.user_id = $1 AND m.active AND m.roles @> ARRAY['owner']"
        await self._work.fetch(
            f"SELECT FROM clinics WHERE id IN ({owned}) ORDER BY id FOR NO KEY UPDATE",
            user_id,
        )
        rows = await self._work.fetch(
            f"SELECT c.slug FROM clinics c WHERE c.id IN ({owned}) AND c.leaving_since IS NULL"  # noqa: S608 -- as above
            " AND NOT EXISTS (SELECT FROM members o WHERE o.clinic_id = c.id AND o.user_id <> $1 AND o.active"
            " AND o.roles @> ARRAY['owner']) ORDER BY c.slug",
            user_id,
        )
        return [row["slug"] for row in rows]

    async def leave(self, account: LockedAccount) -> list[Left]:
        places = await self._work.fetch(
            "SELECT clinic_id, id, version + 1 AS version FROM members WHERE user_id = $1 AND active", account.user_id
        )
        await self._work.execute(
            "UPDATE members SET active = false, registration_number = NULL, version = version + 1"
            " WHERE user_id = $1 AND (active OR registration_number IS NOT NULL)",
            account.user_id,
        )
        resources = await self._work.fetch(
            f"UPDATE resources SET name = $2, active = false, version = version + 1"  # noqa: S608 -- our own words
            f" WHERE (clinic_id, member_id) IN {MINE} RETURNING clinic_id, id, version",
            account.user_id,
            ERASED,
        )
        return [
            Left(kind, ClinicId(row["clinic_id"]), row["id"], row["version"])
            for kind, rows in (("member", places), ("resource", resources))
            for row in rows
        ]

    async def erase(self, account: LockedAccount) -> dict[str, int]:
        user_id, email = account.user_id, account.email
        return {
            "acceptance_evidence": await self._changed(
                "DELETE FROM acceptance_evidence e USING acceptances a WHERE a.user_id = $1"
                " AND e.clinic_id = a.clinic_id AND e.id = a.id",
                user_id,
            ),
            "idempotency_keys": await self._changed(_ANSWERS, user_id),
            "invitations": await self._changed("DELETE FROM invitations WHERE email = $1 AND email <> ''", email),
            "members": await self._changed("SELECT FROM members WHERE user_id = $1", user_id),
            "operators": await self._changed("DELETE FROM operators WHERE user_id = $1", user_id),
            "resources": await self._changed(
                f"SELECT FROM resources WHERE (clinic_id, member_id) IN {MINE}",
                user_id,
            ),
            "users": await self._changed(
                "UPDATE users SET firebase_uid = id::text, email = '', email_verified = false, display_name = $2"
                " WHERE id = $1",
                user_id,
                ERASED,
            ),
        }

    async def held_back(self, user_id: UserId) -> dict[str, int]:
        each = (
            f"SELECT '{table}' AS name, count(*) FROM {table} WHERE (clinic_id, {column}) IN {MINE}"  # noqa: S608 -- our own names
            for table, column in SIGNED.items()
        )
        rows = await self._work.fetch(" UNION ALL ".join(each), user_id)
        return {row["name"]: row["count"] for row in rows if row["count"]}

    async def record(self, erasure: AccountErasure) -> None:
        await self._work.execute(
            "INSERT INTO account_erasures (id, user_id, uid_sha256, firebase_uid, reason, erased_at, certificate)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            erasure.id,
            erasure.user_id,
            sha256(erasure.uid.encode()).digest(),
            erasure.uid,
            erasure.reason,
            erasure.erased_at,
            erasure.certificate,
        )

    async def uid(self, erasure_id: UUID) -> str | None:
        rows = await self._work.fetch("SELECT firebase_uid FROM account_erasures WHERE id = $1", erasure_id)
        return rows[0]["firebase_uid"] if rows else None

    async def completed(self, erasure_id: UUID, at: datetime) -> None:
        await self._work.execute(
            "UPDATE account_erasures SET firebase_uid = NULL, completed_at = $2"
            " WHERE id = $1 AND firebase_uid IS NOT NULL",
            erasure_id,
            at,
        )

    async def _changed(self, sql: str, *arguments: object) -> int:
        """How many rows a statement met."""
        return int((await self._work.execute(sql, *arguments)).rpartition(" ")[2])
