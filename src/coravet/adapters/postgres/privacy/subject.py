"""How the rows of each table relate to a client: the one declaration by which a person is handed what is theirs, and
erased.

A statement begins with `SUBJECT`, whose arguments are those of `Subject.arguments()`, and picks a table's rows by
`rows_of(table)`; its own arguments are numbered from `FREE` on.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.kernel.errors import NotFound


class Time(NamedTuple):
    """From when until when a patient counts as the subject's; None where that has no end on this side."""

    patient_id: UUID
    begins: datetime | None
    ends: datetime | None


class Subject(NamedTuple):
    """Whose rows are meant.

    Attributes:
        clinic_id: of the one clinic; the same person at another is somebody else.
        clients: the client's id, and those of whoever was merged into them.
        times: of the patients whose record counts as the subject's. One patient may have several.
        of_others: times of the same patients whose record stays others', and is left out.
    """

    clinic_id: UUID
    clients: Sequence[UUID]
    times: Sequence[Time]
    of_others: Sequence[Time] = ()

    def arguments(self) -> list[object]:
        """The first arguments of a statement that begins with `SUBJECT`."""
        return [self.clinic_id, list(self.clients), *_columns(self.times), *_columns(self.of_others)]


def _columns(times: Sequence[Time]) -> list[object]:
    return [list(column) for column in zip(*times, strict=True)] or [[], [], []]


SUBJECT = """
WITH subject AS (SELECT $1::uuid AS clinic_id, $2::uuid[] AS clients), times AS (
    SELECT patient_id, coalesce(begins, '-infinity') AS begins, coalesce(ends, 'infinity') AS ends
    FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS of (patient_id, begins, ends)
), of_others AS (
    SELECT patient_id, coalesce(begins, '-infinity') AS begins, coalesce(ends, 'infinity') AS ends
    FROM unnest($6::uuid[], $7::timestamptz[], $8::timestamptz[]) AS of (patient_id, begins, ends)
)
"""
_FIND = """
WITH person AS (
    SELECT c.clinic_id, coalesce(c.merged_into_id, c.id) AS id FROM clients c WHERE c.id = $1 AND c.erased_at IS NULL
), mine AS (
    SELECT x.clinic_id, x.id FROM person s
    JOIN clients x ON x.clinic_id = s.clinic_id AND s.id IN (x.id, x.merged_into_id)
)
SELECT s.clinic_id, s.id || array_remove(ARRAY(SELECT id FROM mine), s.id) AS clients, o.patient_id,
       -- Whoever has an animal after somebody else has it from that day on; whoever joins others shares all of it.
       (SELECT max(f.until) FROM parties f
        WHERE f.clinic_id = o.clinic_id AND f.patient_id = o.patient_id AND f.role = 'owner' AND f.until <= o.since
          AND f.client_id NOT IN (SELECT id FROM mine)) AS begins,
       o.until AS ends
FROM person s LEFT JOIN (parties o JOIN mine m ON m.clinic_id = o.clinic_id AND m.id = o.client_id) ON true
ORDER BY o.patient_id, o.since
"""
FREE = 9
"""The number of a statement's first argument of its own."""


class OfClient(NamedTuple):
    """A column with the client's id."""

    column: str


class OfPatient(NamedTuple):
    """A column with the patient's id, and from when until when the row tells something of it.

    Attributes:
        begins: the instant at which it was written.
        ends: until when it is so; None for what tells of one moment.
        whole: it is about the patient itself, which is one whoever has it: no time of others' is left out.
    """

    column: str
    begins: str
    ends: str | None = None
    whole: bool = False


class Through(NamedTuple):
    """A column with the id of a row that is itself the subject's, or not."""

    column: str
    table: str


class Where(NamedTuple):
    """A condition of its own."""

    sql: str


class Either(NamedTuple):
    """Any of several."""

    ties: tuple["Tie", ...]


Tie = OfClient | OfPatient | Through | Where | Either

FOR_GOOD = "'infinity'::timestamptz"
"""What is so of an animal whoever it belongs to: it is told to those who have it later, too."""

RELATES: dict[str, Tie] = {
    "acceptance_evidence": Through("id", "acceptances"),
    "acceptances": Either((OfClient("client_id"), Through("guest_request_id", "guest_requests"))),
    "addenda": Through("encounter_id", "encounters"),
    "alerts": OfPatient("patient_id", "created_at", "coalesce(alerts.ended_at, alerts.expires_at, 'infinity')"),
    "allergies": OfPatient("patient_id", "noted_at", FOR_GOOD),
    "allocations": Through("appointment_id", "appointments"),
    "appointment_transitions": Through("appointment_id", "appointments"),
    "appointments": OfClient("client_id"),
    "channel_choices": OfClient("client_id"),
    "client_merges": Where("(client_merges.client_id = ANY ($2) OR client_merges.merged_id = ANY ($2))"),
    "clients": OfClient("id"),
    "consents": OfClient("client_id"),
    "contacts": OfClient("client_id"),
    "deaths": OfPatient("patient_id", "at"),
    "dewormings": OfPatient("patient_id", "recorded_at", FOR_GOOD),
    "documents": OfPatient("patient_id", "issued_at"),
    "erasures": OfClient("subject_id"),
    "encounters": OfPatient("patient_id", "created_at"),
    # A visit may be handed over with its patient; what a guest wrote stays theirs who had the patient then.
    "guest_requests": Where(
        """EXISTS (
            SELECT FROM appointments v JOIN parties o ON o.clinic_id = v.clinic_id AND o.patient_id = v.patient_id
            WHERE v.clinic_id = $1 AND v.id = guest_requests.appointment_id AND o.client_id = ANY ($2)
              AND guest_requests.created_at >= o.since AND (o.until IS NULL OR guest_requests.created_at < o.until)
              AND (v.client_id = o.client_id OR o.role = 'owner' AND NOT EXISTS (
                SELECT FROM parties n
                WHERE n.clinic_id = v.clinic_id AND n.patient_id = v.patient_id AND n.client_id = v.client_id
                  AND n.since <= guest_requests.created_at
              ))
        )"""
    ),
    "holds": Where(
        "holds.id IN (SELECT unnest(w.hold_id || w.refused) FROM waitlist w"
        " WHERE w.clinic_id = $1 AND w.client_id = ANY ($2))"
    ),
    "identifiers": OfPatient("patient_id", "since", "coalesce(identifiers.until, 'infinity')", whole=True),
    "immunizations": OfPatient("patient_id", "recorded_at", FOR_GOOD),
    "import_rows": OfClient("client_id"),
    "links": Where(
        """(links.subject_id = ANY ($2) OR links.subject_id IN (
            SELECT v.id FROM appointments v WHERE v.clinic_id = $1 AND v.client_id = ANY ($2)
            UNION ALL SELECT unnest(w.hold_id || w.refused) FROM waitlist w
            WHERE w.clinic_id = $1 AND w.client_id = ANY ($2)
        ))"""
    ),
    "media": OfPatient("patient_id", "created_at"),
    "media_variants": Through("media_id", "media"),
    # One about a recall went to whose the patient was.
    "messages": Where(
        """(
            messages.subject_type = 'appointment' AND messages.subject_id IN (
                SELECT v.id FROM appointments v WHERE v.clinic_id = $1 AND v.client_id = ANY ($2)
            ) OR messages.subject_type = 'hold' AND messages.subject_id IN (
                SELECT unnest(w.hold_id || w.refused) FROM waitlist w
                WHERE w.clinic_id = $1 AND w.client_id = ANY ($2)
            ) OR messages.subject_type = 'recall' AND messages.subject_id IN (
                SELECT r.id FROM recalls r JOIN parties o ON o.clinic_id = r.clinic_id AND o.patient_id = r.patient_id
                WHERE r.clinic_id = $1 AND o.client_id = ANY ($2) AND o.role = 'owner'
                  AND coalesce(messages.sent_at, messages.created_at) >= o.since
                  AND (o.until IS NULL OR coalesce(messages.sent_at, messages.created_at) < o.until)
            )
        )"""
    ),
    "parties": OfClient("client_id"),
    "patients": Where("patients.id = ANY ($3)"),
    "prescription_items": Through("prescription_id", "prescriptions"),
    "prescriptions": OfPatient("patient_id", "issued_at"),
    "privacy_request_steps": Through("request_id", "privacy_requests"),
    "privacy_requests": OfClient("client_id"),
    "problem_changes": Through("problem_id", "problems"),
    "problems": OfPatient("patient_id", "created_at"),
    "recalls": OfPatient("patient_id", "created_at", "coalesce(recalls.closed_at, 'infinity')", whole=True),
    "search_words": OfClient("client_id"),
    "set_aside_notes": Through("encounter_id", "encounters"),
    "waitlist": OfClient("client_id"),
    "weights": OfPatient("patient_id", "created_at", FOR_GOOD),
    "withheld": Through("erasure_id", "erasures"),
}
"""Tables of a clinic with rows about its clients, and which of those are about one."""

UNRELATED = {
    "account_erasures": "of people who signed in",
    "calendar_feeds": "of a vet or a room",
    "clinics": "the clinic itself",
    "closures": "when the clinic is closed",
    "departures": "clinics that left",
    "discarded_objects": "keys of what nothing leads to any more, until it is deleted",
    "ended_sessions": "of people who work in clinics",
    "exceptions": "hours of a vet or a room",
    "hours": "as exceptions",
    "idempotency_keys": "answers to members and guests, by whose they cannot be told apart; all are gone after a day",
    "import_parts": "a file as it was handed in, with everybody in it; what it says of one is in import_rows",
    "imports": "as import_parts",
    "invitations": "of people who are to work in the clinic",
    "legal_texts": "published, and the same for everybody",
    "legal_versions": "as legal_texts",
    "members": "people who work in the clinic",
    "note_templates": "words for any patient",
    "operators": "people who run the service",
    "outbox": "ids of what changed, for a day",
    "outbox_mark": "a number",
    "protocols": "what the clinic vaccinates and when",
    "quiet_hours": "when the clinic sends nothing",
    "rate_limits": "hashes, for minutes",
    "reminder_rules": "when the clinic reminds",
    "retention_rules": "how long the clinic keeps what",
    "resources": "vets, rooms and equipment",
    "service_resources": "who serves what",
    "services": "what the clinic offers",
    "users": "people who sign in",
}
"""Tables without rows about a client, and why."""


async def find_subject(work: PostgresWork, client_id: UUID) -> Subject:
    """The person whom a client's id means, whoever it was merged into, the id that stands first.

    An animal's record is theirs while they are or were its owner, co-owner or caretaker; of one that somebody else had
    before, since then, but for what is so of it whoever it belongs to.

    Raises:
        NotFound: no such client here, or one who was erased.
    """
    rows = await work.fetch(_FIND, client_id)
    if not rows:
        raise NotFound
    times = [Time(row["patient_id"], row["begins"], row["ends"]) for row in rows if row["patient_id"] is not None]
    return Subject(rows[0]["clinic_id"], rows[0]["clients"], times)


def rows_of(table: str) -> str:
    """The condition that picks the subject's rows of a table, whose columns it names by the table's own name."""
    return f"{table}.clinic_id = $1 AND {_tied(table, RELATES[table])}"


def _tied(table: str, tie: Tie) -> str:
    match tie:
        case OfClient(column):
            return f"{table}.{column} = ANY ($2)"
        case OfPatient(column, begins, ends, whole):
            begun = f"{table}.{begins}"
            within = f"patient_id = {table}.{column} AND {begun} < ends AND {ends or begun} >= begins"
            others = "" if whole else f" AND NOT EXISTS (SELECT FROM of_others WHERE {within})"
            return f"{table}.{column} = ANY ($3) AND EXISTS (SELECT FROM times WHERE {within}){others}"
        case Through(column, parent):
            return f"{table}.{column} IN (SELECT {parent}.id FROM {parent} WHERE {rows_of(parent)})"  # noqa: S608 -- our own names
        case Where(sql):
            return sql
        case Either(ties):
            return f"({' OR '.join(f'({_tied(table, each)})' for each in ties)})"
