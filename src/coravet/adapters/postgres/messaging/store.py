"""Messages, choices, recalls and rules on PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from uuid import UUID

import asyncpg

from coravet.adapters.postgres.cursors import FIRST, LAST, after, page_of
from coravet.adapters.postgres.work import PostgresWork, Rows
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.fields import wall_text, wall_time
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.messaging.model import CHANNELS, Channel, Choice, Link, Message, MessageStatus, Recall
from coravet.core.messaging.ports import NewMessage, Planned, SendMessage
from coravet.core.messaging.quiet import QuietHours
from coravet.core.messaging.views import (
    ChannelsView,
    ChoiceView,
    Facts,
    RecallView,
    ReminderRule,
    RemindersView,
)

NEVER = datetime.min.replace(tzinfo=UTC)

_QUEUE = """
INSERT INTO messages (clinic_id, id, kind, subject_type, subject_id, channel, due_at, starts_at)
SELECT $1, new.id, $2, $3, $4, new.channel, $5, coalesce(
    (SELECT starts_at FROM appointments WHERE id = $4), (SELECT starts_at FROM holds WHERE id = $4)
)
FROM unnest($6::uuid[], $7::text[]) AS new (id, channel)
ON CONFLICT ON CONSTRAINT uq_messages_once DO NOTHING
RETURNING id
"""
# OFFSET 0 keeps PostgreSQL from joining all visits there are: each rule reads those of its window, by their start.
_PLAN = """
WITH due AS (
    SELECT r.clinic_id, r.kind, 'appointment' AS subject_type, a.id AS subject_id, r.channel,
           a.starts_at - make_interval(mins => r.minutes_before) AS due_at, a.starts_at
    FROM reminder_rules r
    CROSS JOIN LATERAL (
        SELECT * FROM appointments
        WHERE clinic_id = r.clinic_id
          AND starts_at >= $1::timestamptz + make_interval(mins => r.minutes_before)
          AND starts_at < $2::timestamptz + make_interval(mins => r.minutes_before)
        OFFSET 0
    ) a
    WHERE r.enabled AND r.kind = 'visit_reminder' AND a.status IN ('requested', 'confirmed')
      AND a.created_at <= a.starts_at - make_interval(mins => r.minutes_before)
    UNION ALL
    SELECT r.clinic_id, r.kind, 'recall', c.id, r.channel, c.due_at - make_interval(mins => r.minutes_before), NULL
    FROM reminder_rules r
    CROSS JOIN LATERAL (
        SELECT * FROM recalls
        WHERE clinic_id = r.clinic_id AND closed_at IS NULL
          AND due_at >= $1::timestamptz + make_interval(mins => r.minutes_before)
          AND due_at < $2::timestamptz + make_interval(mins => r.minutes_before)
        OFFSET 0
    ) c
    WHERE r.enabled AND c.kind = r.kind
), fresh AS (
    SELECT due.*, row_number() OVER (ORDER BY due.due_at) AS number
    FROM due JOIN clinics c ON c.id = due.clinic_id AND c.leaving_since IS NULL
    WHERE NOT EXISTS (
        SELECT FROM messages m
        WHERE m.clinic_id = due.clinic_id AND m.subject_type = due.subject_type AND m.subject_id = due.subject_id
          AND m.kind = due.kind AND m.due_at = due.due_at AND m.channel = due.channel
    )
)
INSERT INTO messages (clinic_id, id, kind, subject_type, subject_id, channel, due_at, starts_at)
SELECT f.clinic_id, new.id, f.kind, f.subject_type, f.subject_id, f.channel, f.due_at, f.starts_at
FROM fresh f JOIN unnest($3::uuid[]) WITH ORDINALITY AS new (id, number) USING (number)
ON CONFLICT ON CONSTRAINT uq_messages_once DO NOTHING
RETURNING clinic_id, id, due_at
"""
# As a row's comparison, so that the index leads to where the batch before ended.
_OVERDUE = """
SELECT clinic_id, id, coalesce(not_before, due_at) AS at FROM messages
WHERE status = 'planned' AND coalesce(not_before, due_at) < $1 AND (coalesce(not_before, due_at), id) > ($2, $3)
ORDER BY at, id LIMIT $4
"""
_WITHDRAW = """
UPDATE messages m SET status = 'skipped', why = 'superseded'
WHERE m.status IN ('planned', 'waiting') AND m.kind IN ('visit_reminder', 'vaccine_due', 'deworming_due', 'follow_up')
  AND NOT EXISTS (
    SELECT FROM reminder_rules r
    WHERE r.clinic_id = m.clinic_id AND r.enabled AND r.kind = m.kind AND r.channel = m.channel
      AND m.due_at = make_interval(mins => -r.minutes_before) + coalesce(
        m.starts_at, (SELECT c.due_at FROM recalls c WHERE c.clinic_id = m.clinic_id AND c.id = m.subject_id)
      )
  )
"""
_WITHDRAW_PATIENT = """
UPDATE messages m SET status = 'skipped', why = $2, not_before = NULL
WHERE m.status IN ('planned', 'waiting') AND (m.subject_type, m.subject_id) IN (
    SELECT 'appointment', a.id FROM appointments a WHERE a.patient_id = $1
    UNION ALL SELECT 'recall', r.id FROM recalls r WHERE r.patient_id = $1
    UNION ALL SELECT 'hold', unnest(w.hold_id || w.refused) FROM waitlist w WHERE w.patient_id = $1
)
RETURNING m.id
"""
_LET_GO = "UPDATE messages SET status = 'skipped', why = 'visit_past' WHERE status = 'waiting' AND starts_at <= $1"
_MESSAGE = (
    "m.clinic_id, m.id, m.kind, m.subject_type, m.subject_id, m.channel, m.due_at, m.starts_at AS planned_start,"
    " m.status, m.why, m.attempts, m.not_before, m.sent_at, m.sent_by"
)
# The last word of each who is one person now: the last of all where it was said since they are, for then it was said of
# all; else a refusal by any of them.
_CHOICE = """
LEFT JOIN LATERAL (
    SELECT e.* FROM (
        SELECT DISTINCT ON (e.client_id) e.* FROM channel_choices e
        WHERE e.clinic_id = k.clinic_id AND e.channel = {channel} AND e.client_id = ANY (
            ARRAY(SELECT x.id FROM clients x WHERE x.clinic_id = k.clinic_id AND x.merged_into_id = k.id) || k.id
        )
        ORDER BY e.client_id, e.chosen_at DESC, e.id DESC
    ) e
    ORDER BY e.chosen_at > (
        SELECT max(g.merged_at) FROM client_merges g
        WHERE g.clinic_id = k.clinic_id AND g.client_id = k.id AND g.undone_at IS NULL
    ) DESC, e.allowed, e.chosen_at DESC, e.id DESC LIMIT 1
) d ON true
"""
_FACTS = """
c.name AS clinic_name, c.time_zone, q.begins, q.ends,
k.id AS client_id, coalesce(g.given_name, k.given_name) AS given_name,
rtrim(k.given_name || ' ' || k.family_name) AS client_name,
CASE m.channel WHEN 'mail' THEN coalesce(g.email, k.email) ELSE k.phone END AS address,
d.allowed, coalesce(g.patient_name, p.name) AS patient_name,
p.deceased_on IS NOT NULL AS deceased,
-- Who booked as a guest and left an address is alive, whoever they were taken for; what they wrote just now is
-- not what is contested.
k.deceased_on IS NOT NULL AND g.email IS NULL AS client_deceased,
k.suspended_at IS NOT NULL AND g.email IS NULL AS client_suspended, s.name AS service_name,
CASE WHEN h.expires_at <= now() THEN 'expired' ELSE coalesce(a.status, w.status) END AS visit_status,
coalesce(a.starts_at, h.starts_at) AS starts_at, coalesce(a.ends_at, h.ends_at) AS ends_at,
a.version, r.due_on, r.closed_at,
ARRAY(
    SELECT l.kind FROM messages l
    WHERE l.clinic_id = m.clinic_id AND l.subject_type = m.subject_type AND l.subject_id = m.subject_id
      AND l.channel = m.channel AND l.starts_at = a.starts_at AND (l.due_at, l.id) > (m.due_at, m.id)
) AS later
"""
_FROM = f"""
FROM messages m
JOIN clinics c ON c.id = m.clinic_id
LEFT JOIN quiet_hours q ON q.clinic_id = m.clinic_id
LEFT JOIN appointments a ON m.subject_type = 'appointment' AND a.clinic_id = m.clinic_id AND a.id = m.subject_id
-- Who booked as a guest is told at the mail address that they wrote, in the words that they wrote: whether the clinic
-- knows them by others is nothing that they learn. Reminders, and all that goes over WhatsApp, are for the client who
-- agreed to them, at the phone that is the client's own.
LEFT JOIN guest_requests g ON g.clinic_id = a.clinic_id AND g.appointment_id = a.id AND m.channel = 'mail'
    AND m.kind <> 'visit_reminder'
    -- Whoever booked before the patient was handed over is told nothing more of it.
    AND NOT EXISTS (
        SELECT FROM parties n JOIN parties b ON b.clinic_id = n.clinic_id AND b.patient_id = n.patient_id
            AND b.role = 'owner' AND b.until = n.since AND b.client_id <> n.client_id
        WHERE n.clinic_id = a.clinic_id AND n.patient_id = a.patient_id AND n.role = 'owner' AND n.since > g.created_at
    )
LEFT JOIN recalls r ON m.subject_type = 'recall' AND r.clinic_id = m.clinic_id AND r.id = m.subject_id
LEFT JOIN holds h ON m.subject_type = 'hold' AND h.clinic_id = m.clinic_id AND h.id = m.subject_id
LEFT JOIN waitlist w ON w.clinic_id = h.clinic_id AND w.hold_id = h.id
LEFT JOIN services s ON s.clinic_id = m.clinic_id AND s.id = coalesce(a.service_id, h.service_id)
LEFT JOIN parties o ON o.clinic_id = r.clinic_id AND o.patient_id = r.patient_id AND o.role = 'owner'
    AND o.until IS NULL
LEFT JOIN patients p ON p.clinic_id = m.clinic_id AND p.id = coalesce(a.patient_id, r.patient_id, w.patient_id)
LEFT JOIN clients k ON k.clinic_id = m.clinic_id AND k.id = coalesce(a.client_id, o.client_id, w.client_id)
{_CHOICE.format(channel="m.channel")}
"""
_CHANNELS = f"""
SELECT k.version, n.channel, d.allowed, d.source, d.recorded_by, d.chosen_at
FROM clients k CROSS JOIN unnest($2::text[]) AS n (channel)
{_CHOICE.format(channel="n.channel")}
WHERE k.id = $1
"""  # noqa: S608 -- our own words
_REMINDERS = """
SELECT r.kind, r.channel, r.minutes_before, r.enabled, q.begins, q.ends
FROM (SELECT) one LEFT JOIN quiet_hours q ON true LEFT JOIN reminder_rules r ON true
ORDER BY r.kind, r.minutes_before DESC, r.channel
"""
_RECALLS = """
SELECT r.id, r.kind, r.patient_id, p.name AS patient_name, k.id AS client_id,
       rtrim(k.given_name || ' ' || k.family_name) AS client_name, r.due_on, r.note, r.due_at
FROM recalls r
JOIN patients p ON p.clinic_id = r.clinic_id AND p.id = r.patient_id
JOIN parties o ON o.clinic_id = r.clinic_id AND o.patient_id = r.patient_id AND o.role = 'owner' AND o.until IS NULL
JOIN clients k ON k.clinic_id = o.clinic_id AND k.id = o.client_id
WHERE r.closed_at IS NULL
"""


def _quiet(row: asyncpg.Record) -> QuietHours | None:
    begins: time | None = row["begins"]
    return None if begins is None else QuietHours(wall_text(begins), wall_text(row["ends"]))


def _facts(row: asyncpg.Record) -> Facts:
    return Facts(
        clinic_name=row["clinic_name"],
        time_zone=row["time_zone"],
        quiet=_quiet(row),
        client_id=row["client_id"],
        given_name=row["given_name"],
        client_name=row["client_name"],
        address=row["address"],
        allowed=row["allowed"],
        patient_name=row["patient_name"],
        deceased=bool(row["deceased"]),
        client_deceased=bool(row["client_deceased"]),
        client_suspended=bool(row["client_suspended"]),
        service_name=row["service_name"],
        visit_status=row["visit_status"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        version=row["version"],
        later=frozenset(row["later"]),
        due_on=row["due_on"],
        closed=row["closed_at"] is not None,
    )


def _message(row: asyncpg.Record) -> Message:
    return Message(*list(row.values())[:14])


class MessageRows(Rows[Message]):
    """What is told, was told and is to be told."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Message)
        self._work = work

    async def queue(self, message: NewMessage) -> None:
        clinic_id = self._work.actor.clinic_id
        rows = await self._work.fetch(
            _QUEUE,
            clinic_id,
            message.kind,
            message.subject_type,
            message.subject_id,
            message.due_at,
            [self._work.new_id() for _ in CHANNELS],
            list(CHANNELS),
        )
        for row in rows:
            await self._work.jobs.defer(SendMessage(clinic_id, row["id"]), at=message.due_at)

    async def plan(self, since: datetime, until: datetime, limit: int) -> list[Planned]:
        rows = await self._work.fetch(_PLAN, since, until, [self._work.new_id() for _ in range(limit)])
        return [Planned(*row.values()) for row in rows]

    async def overdue(self, before: datetime, last: Planned | None, limit: int) -> list[Planned]:
        rows = await self._work.fetch(
            _OVERDUE, before, *((NEVER, FIRST) if last is None else (last.at, last.id)), limit
        )
        return [Planned(*row.values()) for row in rows]

    async def withdraw(self, patient_id: UUID, why: str) -> int:
        return len(await self._work.fetch(_WITHDRAW_PATIENT, patient_id, why))

    async def let_go(self, now: datetime) -> None:
        await self._work.execute(_LET_GO, now)


class ChoiceRows(Rows[Choice]):
    """What clients decided."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Choice)
        self._work = work

    async def change(self, client_id: UUID) -> int:
        rows = await self._work.fetch(
            "UPDATE clients SET version = version + 1 WHERE id = $1 AND merged_into_id IS NULL RETURNING version",
            client_id,
        )
        if not rows:
            raise NotFound
        version: int = rows[0]["version"]
        return version


class RecallRows(Rows[Recall]):
    """Patients that should come again."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Recall)
        self._work = work

    async def lives(self, patient_id: UUID) -> bool:
        rows = await self._work.fetch(
            "SELECT deceased_on FROM patients WHERE id = $1 AND erased_at IS NULL FOR KEY SHARE", patient_id
        )
        if not rows:
            raise NotFound
        return rows[0]["deceased_on"] is None

    async def close(self, patient_id: UUID, at: datetime) -> int:
        closed = await self._work.fetch(
            "UPDATE recalls SET closed_at = $2 WHERE patient_id = $1 AND closed_at IS NULL RETURNING id", patient_id, at
        )
        return len(closed)


class LinkRows(Rows[Link]):
    """What may be done without signing in."""

    def __init__(self, work: PostgresWork) -> None:
        super().__init__(work.session, Link)
        self._work = work

    async def revoke(self, subject_ids: Sequence[UUID], at: datetime) -> None:
        await self._work.execute(
            "UPDATE links SET revoked_at = $2 WHERE subject_id = ANY($1) AND revoked_at IS NULL", list(subject_ids), at
        )

    async def prolong(self, subject_id: UUID, until: datetime, now: datetime) -> None:
        await self._work.execute(
            "UPDATE links SET expires_at = $2"
            " WHERE subject_id = $1 AND expires_at > $3 AND expires_at < $2 AND revoked_at IS NULL",
            subject_id,
            until,
            now,
        )


class MessageReadsOnPostgres:
    """Messages as readers see them, one query each."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def facts(self, message_id: UUID) -> Facts:
        rows = await self._work.fetch(f"SELECT {_FACTS} {_FROM} WHERE m.id = $1", message_id)
        if not rows:
            raise NotFound
        return _facts(rows[0])

    async def messages(
        self, page: PageRequest, channel: Channel | None, status: MessageStatus | None
    ) -> Page[tuple[Message, Facts]]:
        last = after(page, tuple[datetime, UUID])
        statuses = "" if status is None else "AND m.status = $5"
        rows = await self._work.fetch(
            f"SELECT {_MESSAGE}, {_FACTS} {_FROM} WHERE ($1::timestamptz IS NULL OR (m.due_at, m.id) < ($1, $2))"
            f" AND ($3::text IS NULL OR m.channel = $3) {statuses} ORDER BY m.due_at DESC, m.id DESC LIMIT $4",
            *(last or (None, LAST)),
            channel,
            page.limit + 1,
            *(() if status is None else (status,)),
        )
        return page_of(rows, page, lambda row: (_message(row), _facts(row)), lambda row: (row["due_at"], row["id"]))

    async def reminders(self) -> RemindersView:
        rows = await self._work.fetch(_REMINDERS)
        rules = [ReminderRule(*list(row.values())[:4]) for row in rows if row["kind"] is not None]
        return RemindersView(rules, _quiet(rows[0]))

    async def clinic_name(self) -> str:
        [row] = await self._work.fetch("SELECT name FROM clinics")
        name: str = row["name"]
        return name

    async def channels(self, client_id: UUID) -> ChannelsView:
        rows = await self._work.fetch(_CHANNELS, client_id, list(CHANNELS))
        if not rows:
            raise NotFound
        choices = {
            row["channel"]: ChoiceView(bool(row["allowed"]), row["source"], row["recorded_by"], row["chosen_at"])
            for row in rows
        }
        return ChannelsView(client_id, choices["mail"], choices["whatsapp"], rows[0]["version"])

    async def recalls(self, page: PageRequest, patient_id: UUID | None) -> Page[RecallView]:
        last = after(page, tuple[datetime, UUID])
        rows = await self._work.fetch(
            f"{_RECALLS} AND p.deceased_on IS NULL AND ($1::timestamptz IS NULL OR (r.due_at, r.id) > ($1, $2))"
            " AND ($3::uuid IS NULL OR r.patient_id = $3) ORDER BY r.due_at, r.id LIMIT $4",
            *(last or (None, FIRST)),
            patient_id,
            page.limit + 1,
        )
        return page_of(rows, page, _recall_view, lambda row: (row["due_at"], row["id"]))

    async def recall(self, recall_id: UUID) -> RecallView:
        rows = await self._work.fetch(f"{_RECALLS} AND r.id = $1", recall_id)
        if not rows:
            raise NotFound
        return _recall_view(rows[0])


def _recall_view(row: asyncpg.Record) -> RecallView:
    return RecallView(*list(row.values())[:-1])


class ReminderRulesOnPostgres:
    """How the clinic reminds."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work

    async def replace(self, rules: list[ReminderRule], quiet: QuietHours | None) -> int:
        clinic_id = self._work.actor.clinic_id
        # Whoever replaces them at the same time waits here.
        [clinic] = await self._work.fetch(
            "UPDATE clinics SET version = version + 1 WHERE id = $1 RETURNING version", clinic_id
        )
        await self._work.execute("DELETE FROM reminder_rules")
        await self._work.execute("DELETE FROM quiet_hours")
        await self._work.execute_many(
            "INSERT INTO reminder_rules (clinic_id, kind, channel, minutes_before, enabled)"
            " VALUES ($1, $2, $3, $4, $5)",
            [(clinic_id, rule.kind, rule.channel, rule.minutes_before, rule.enabled) for rule in rules],
        )
        await self._work.execute(_WITHDRAW)
        if quiet is not None:
            await self._work.execute(
                "INSERT INTO quiet_hours (clinic_id, begins, ends) VALUES ($1, $2, $3)",
                clinic_id,
                wall_time(quiet.begins),
                wall_time(quiet.ends),
            )
        version: int = clinic["version"]
        return version
