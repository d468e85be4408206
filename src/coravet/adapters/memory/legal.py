"""Legal texts kept in memory."""

from coravet.core.kernel.actor import ClinicId, UserId
from coravet.core.legal.gate import Open, OpenDocument


class LegalGate:
    """Asks everybody for the same documents until they are taken away; without any it lets everybody in."""

    def __init__(self, documents: list[OpenDocument] | None = None) -> None:
        self.documents = documents or []

    async def pending(self, user_id: UserId, clinic_id: ClinicId | None) -> list[OpenDocument]:  # noqa: ARG002 -- the port's
        return list(self.documents)

    async def all_open(self, user_id: UserId, clinic_ids: list[ClinicId]) -> Open:  # noqa: ARG002 -- the port's
        return Open(list(self.documents), [])
