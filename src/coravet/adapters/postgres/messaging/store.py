"""Messages on PostgreSQL."""

from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.messaging.model import CHANNELS, Message
from coravet.core.messaging.ports import NewMessage

_QUEUE = """
INSERT INTO messages (clinic_id, id, kind, subject_type, subject_id, channel, due_at, starts_at)
SELECT $1, new.id, $2, $3, $4, new.channel, $5, (SELECT starts_at FROM appointments WHERE id = $4)
FROM unnest($6::uuid[], $7::text[]) AS new (id, channel)
ON CONFLICT ON CONSTRAINT uq_messages_once DO NOTHING
"""


class MessageRows(Rows[Message]):
    """What is told, was told and is to be told."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Message)
        self._work = work

    async def queue(self, message: NewMessage) -> None:
        await self._work.execute(
            _QUEUE,
            self._work.actor.clinic_id,
            message.kind,
            message.subject_type,
            message.subject_id,
            message.due_at,
            [self._work.new_id() for _ in CHANNELS],
            list(CHANNELS),
        )
