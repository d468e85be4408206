"""How this database has those whom the register of erasures names."""

from collections.abc import Sequence
from uuid import UUID

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.privacy.replay_ports import DoneHere, Standing

_STANDING = """
SELECT c.clinic_id, c.id AS client_id, k.time_zone, c.erased_at IS NOT NULL AS erased, c.merged_into_id
FROM unnest($1::uuid[], $2::uuid[]) AS w (clinic_id, id)
JOIN clients c ON c.clinic_id = w.clinic_id AND c.id = w.id
JOIN clinics k ON k.id = c.clinic_id
"""
_STILL_HERE = """
SELECT (SELECT count(*) FROM clinics WHERE id = ANY ($1))
    + (SELECT count(*) FROM users u WHERE u.id = ANY ($2)
       AND NOT EXISTS (SELECT FROM account_erasures e WHERE e.user_id = u.id)) AS many
"""
_DONE_HERE = """
SELECT 'erasure' AS what, clinic_id, subject_id AS id FROM erasures WHERE completed_at IS NOT NULL
UNION ALL SELECT 'departure', clinic_id, id FROM departures WHERE completed_at IS NOT NULL
UNION ALL SELECT 'account', NULL, user_id FROM account_erasures
"""


class RegisteredOnPostgres:
    """The `Registered` port."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def standing(self, clinics: Sequence[ClinicId], clients: Sequence[UUID]) -> list[Standing]:
        rows = await self._work.fetch(_STANDING, list(clinics), list(clients))
        return [Standing(*row) for row in rows]

    async def still_here(self, clinics: Sequence[ClinicId], accounts: Sequence[UserId]) -> int:
        [row] = await self._work.fetch(_STILL_HERE, list(clinics), list(accounts))
        return int(row["many"])

    async def done_here(self) -> DoneHere:
        rows = await self._work.fetch(_DONE_HERE)
        return DoneHere(
            clients=[(ClinicId(row["clinic_id"]), row["id"]) for row in rows if row["what"] == "erasure"],
            departures=[row["id"] for row in rows if row["what"] == "departure"],
            accounts=[UserId(row["id"]) for row in rows if row["what"] == "account"],
        )
