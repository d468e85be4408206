"""Every stored column says what it tells of a person, and what erasing that person does to it."""

from sqlalchemy import Column, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY

from coravet.adapters.postgres.tables import metadata
from coravet.core.privacy.classification import Classification

COLUMNS: dict[str, Column[object]] = {
    f"{table.name}.{column.name}": column for table in metadata.sorted_tables for column in table.columns
}

SAYS_NOTHING = {
    "legal_versions.slug": "the name of a legal text",
    "legal_versions.version": "as legal_versions.slug",
    "legal_versions.change": "a word",
    "legal_texts.slug": "as legal_versions.slug",
    "legal_texts.version": "as legal_versions.slug",
    "legal_texts.locale": "a language",
    "legal_texts.title": "published",
    "legal_texts.body": "published",
    "legal_texts.sha256": "a hash of what is published",
    "acceptances.slug": "as legal_versions.slug",
    "acceptances.version": "as legal_versions.slug",
    "acceptances.locale": "a language",
    "acceptances.sha256": "as legal_texts.sha256",
    "acceptances.decision": "a word",
    "acceptances.capacity": "a word",
    "acceptances.screen": "a page of ours, in a program's words",
    "acceptances.build": "a version of a page of ours",
    "acceptances.request_id": "made by a program, one for each request",
    "acceptances.commitment": "a hash under a key that goes with the person",
    "acceptances.previous": "a hash",
    "acceptances.hash": "a hash",
    "clinics.slug": "the clinic's address",
    "clinics.name": "the clinic's name, which it publishes",
    "clinics.time_zone": "an IANA name",
    "ended_sessions.token_hash": "a hash, from which nobody gets back",
    "members.roles": "words of the role table",
    "invitations.roles": "as members.roles",
    "invitations.token_hash": "as ended_sessions.token_hash",
    "outbox.kind": "a word of the catalogue",
    "outbox.audience": "a word of the catalogue",
    "outbox.subject_type": "a word of the catalogue",
    "idempotency_keys.key": "made by a program, one for each request",
    "idempotency_keys.fingerprint": "a hash",
    "patients.species": "a word of the species table",
    "patients.sex": "an animal's",
    "patients.reproductive_status": "an animal's",
    "parties.role": "a word",
    "identifiers.kind": "a word",
    "alerts.moment": "a word",
    "deaths.step": "a word",
    "clients.preferred_channel": "a word",
    "contacts.kind": "a word",
    "consents.purpose": "a word",
    "consents.decision": "a word",
    "consents.source": "a word",
    "consents.text_slug": "a legal text's name",
    "consents.text_version": "a legal text's version",
    "consents.text_locale": "a language",
    "consents.text_sha256": "a legal text's hash",
    "client_merges.filled": "names of columns",
    "services.name": "what the clinic offers",
    "services.color": "a colour",
    "services.species": "words of the species table",
    "services.room_kind": "a word",
    "resources.room_kind": "a word",
    "resources.kind": "a word",
    "appointments.status": "a word",
    "appointments.source": "a word",
    "calendar_feeds.token_hash": "as ended_sessions.token_hash",
    "messages.kind": "a word",
    "messages.subject_type": "a word",
    "messages.channel": "a word",
    "messages.status": "a word",
    "messages.why": "a word",
    "channel_choices.channel": "a word",
    "channel_choices.source": "a word",
    "links.purpose": "a word",
    "links.token_hash": "as ended_sessions.token_hash",
    "appointments.previous_status": "a word",
    "appointment_transitions.step": "a word of the table of transitions",
    "appointment_transitions.from_status": "a word",
    "appointment_transitions.to_status": "a word",
    "appointment_transitions.by": "a word",
    "holds.kind": "a word",
    "waitlist.status": "a word",
    "holds.token_hash": "as ended_sessions.token_hash",
    "recalls.kind": "a word",
    "reminder_rules.channel": "a word",
    "reminder_rules.kind": "a word",
    "encounters.mucous_membranes": "a word",
    "encounters.digest": "a hash",
    "set_aside_notes.digest": "as encounters.digest",
    "problems.status": "a word",
    "problems.certainty": "a word",
    "problem_changes.status": "a word",
    "problem_changes.certainty": "a word",
    "note_templates.name": "what the clinic calls it",
    "note_templates.species": "a word of the species table",
    "immunizations.covers": "codes of the protocol",
    "immunizations.route": "a word",
    "immunizations.source": "a word",
    "dewormings.active_substances": "names of substances",
    "dewormings.target": "a word",
    "dewormings.route": "a word",
    "dewormings.source": "a word",
    "prescription_items.active_substances": "names of substances",
    "prescription_items.route": "a word",
    "allergies.severity": "a word",
    "protocols.kind": "a word",
    "protocols.species": "a word of the species table",
    "protocols.code": "a word",
    "protocols.name": "a vaccine's or treatment's name",
    "protocols.also": "as protocols.name",
    "documents.kind": "a word",
    "erasures.subject_type": "a word",
    "departures.slug_sha256": "a hash",
    "departures.certificate": "counts and hashes",
    "account_erasures.uid_sha256": "a hash of what the identity provider drew by lot, and has deleted",
    "account_erasures.certificate": "counts and words of the law",
    "erasures.sha256": "a hash of a certificate that names nobody",
    "withheld.table_name": "a table's",
    "withheld.category": "a word",
    "retention_rules.category": "a word",
    "retention_rules.basis": "the law's words",
    "documents.content": "a hash",
    "documents.token_hash": "as ended_sessions.token_hash",
    "privacy_requests.kind": "a word",
    "privacy_requests.channel": "a word",
    "privacy_requests.status": "a word",
    "privacy_requests.identity_method": "a word",
    "privacy_requests.outcome": "a word",
    "privacy_requests.basis": "a word",
    "privacy_request_steps.step": "a word",
    "privacy_request_steps.status": "a word",
    "privacy_request_steps.method": "a word",
    "privacy_request_steps.outcome": "a word",
    "privacy_request_steps.basis": "a word",
    "rate_limits.key": "a hash of what is counted, gone when that no longer counts",
    "guest_requests.species": "a word of the species table",
    "guest_requests.accepted_slug": "a legal text's name",
    "guest_requests.accepted_version": "a legal text's version",
    "guest_requests.accepted_locale": "a language",
    "media.purpose": "a word",
    "media.status": "a word",
    "media.problem": "a word",
    "media.sha256": "a hash of a file that nobody has here any more",
    "media_variants.variant": "a word",
    "media_variants.media_type": "a word",
    "discarded_objects.key": "hashes, of what is deleted within minutes",
    "imports.sha256": "a hash of a file that is kept for a month",
    "imports.status": "a word",
    "import_rows.outcome": "a word",
    "guest_requests.accepted_sha256": "a legal text's hash",
}
"""Columns that hold text and are classed `none`, and why."""


def _holds_text(column: Column[object]) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind, Text | LargeBinary)


def test_classified() -> None:
    """Every column carries a classification; that the database has no other columns is `alembic check`'s to see."""
    assert COLUMNS
    assert [
        name for name, column in COLUMNS.items() if not isinstance(column.info.get("privacy"), Classification)
    ] == []


def test_text_says_nothing() -> None:
    """Text that is classed as telling nothing of a person is listed, with the reason; all other text is personal."""
    nothing = {
        name for name, column in COLUMNS.items() if _holds_text(column) and column.info["privacy"].kind == "none"
    }
    assert nothing == set(SAYS_NOTHING)


def test_erasure_is_possible() -> None:
    """What erasing clears may be null; what says nothing is kept, and what says something is not."""
    for name, column in COLUMNS.items():
        privacy = column.info["privacy"]
        assert (privacy.kind == "none") == (privacy.on_erasure == "keep"), name
        assert privacy.on_erasure != "clear" or column.nullable, name
