"""Clients, patients and parties."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from coravet.adapters.postgres.schema import Instant, belongs_to, column, mapping, metadata, tenant_table
from coravet.core.patients.model import Alert, Client, Consent, Contact, Death, Identifier, Merge, Party, Patient
from coravet.core.privacy.classification import (
    FREE_TEXT_CLEARED,
    FREE_TEXT_REPLACED,
    PERSONAL_CLEARED,
    PERSONAL_DELETED,
    PERSONAL_REPLACED,
)

# As near to `fold` as a generated column may come: accents of Spanish and its neighbours, and case.
FOLDED = (
    "lower(translate({}, 'ÁÀÂÄÃÉÈÊËÍÌÎÏÓÒÔÖÕÚÙÛÜÑÇáàâäãéèêëíìîïóòôöõúùûüñç',"
    " 'AAAAAEEEEIIIIOOOOOUUUUNCaaaaaeeeeiiiiooooouuuunc'))"
)
SPECIES = "'dog', 'cat', 'rabbit', 'bird', 'horse', 'cow', 'pig', 'reptile', 'other'"
NAME_KEY = FOLDED.format("given_name || ' ' || family_name")

clients = tenant_table(
    "clients",
    column("given_name", Text, privacy=PERSONAL_REPLACED),
    column("family_name", Text, privacy=PERSONAL_REPLACED),
    column("document_type", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("document_number", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("phone", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("email", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("search_key", Text, privacy=PERSONAL_REPLACED),
    column("version", Integer),
    column("created_at", Instant),
    column("preferred_channel", Text, nullable=True),
    column("canton", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("address", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("deceased_on", Date, nullable=True, privacy=PERSONAL_CLEARED),
    column("merged_into_id", UUID, nullable=True),
    column("suspended_at", Instant, nullable=True),
    column("name_key", Text, Computed(NAME_KEY, persisted=True), privacy=PERSONAL_REPLACED),
    column("erased_at", Instant, nullable=True),
    belongs_to("merged_into_id", "clients"),
    CheckConstraint("preferred_channel IN ('mail', 'whatsapp', 'phone')", name="preferred_channel"),
    CheckConstraint("canton ~ '^[0-9]{4}$'", name="canton"),
    CheckConstraint("merged_into_id <> id", name="merged"),
    CheckConstraint("document_type IN ('cedula', 'ruc', 'passport')", name="document_type"),
    CheckConstraint("(document_type IS NULL) = (document_number IS NULL)", name="document_whole"),
    Index(
        "uq_clients_document",
        "clinic_id",
        "document_type",
        "document_number",
        unique=True,
        postgresql_where=text("document_number IS NOT NULL AND merged_into_id IS NULL"),
    ),
    Index(
        "ix_clients_merged_into_id",
        "clinic_id",
        "merged_into_id",
        postgresql_where=text("merged_into_id IS NOT NULL"),
    ),
    Index(
        "ix_clients_name_key",
        "clinic_id",
        "name_key",
        postgresql_using="gin",
        postgresql_ops={"name_key": "gin_trgm_ops"},
    ),
    Index("ix_clients_family_name", "clinic_id", "family_name", "id"),
    Index("ix_clients_phone", "clinic_id", "phone", postgresql_where=text("phone IS NOT NULL")),
)

patients = tenant_table(
    "patients",
    column("name", Text, privacy=PERSONAL_REPLACED),
    column("species", Text),
    column("breed", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("sex", Text),
    column("reproductive_status", Text),
    # An animal that few are like leads to who had it: to the year, as many are.
    column("birth_date", Date, nullable=True, privacy=PERSONAL_REPLACED),
    column("birth_date_precision", Text, nullable=True, privacy=PERSONAL_REPLACED),
    column("deceased_on", Date, nullable=True),
    column("breed_code", Text, nullable=True, privacy=PERSONAL_CLEARED),
    column("color", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("search_key", Text, privacy=PERSONAL_REPLACED),  # it holds the breed, too
    column("version", Integer),
    column("created_at", Instant),
    column("erased_at", Instant, nullable=True),
    CheckConstraint(f"species IN ({SPECIES})", name="species"),
    CheckConstraint("sex IN ('male', 'female', 'unknown')", name="sex"),
    CheckConstraint("reproductive_status IN ('intact', 'neutered', 'unknown')", name="reproductive_status"),
    CheckConstraint("birth_date_precision IN ('day', 'month', 'year', 'estimated')", name="birth_date_precision"),
    CheckConstraint("(birth_date IS NULL) = (birth_date_precision IS NULL)", name="birth_date_whole"),
    Index("ix_patients_name", "clinic_id", "name", "id"),
)

parties = tenant_table(
    "parties",
    column("patient_id", UUID),
    column("client_id", UUID),
    column("role", Text),
    column("since", Instant),
    column("may_consent", Boolean),
    column("until", Instant, nullable=True),
    belongs_to("patient_id", "patients"),
    belongs_to("client_id", "clients"),
    CheckConstraint("role IN ('owner', 'co_owner', 'caretaker')", name="role"),
    CheckConstraint("since <= until", name="in_order"),
    Index(
        "uq_parties_owner",
        "clinic_id",
        "patient_id",
        unique=True,
        postgresql_where=text("role = 'owner' AND until IS NULL"),
    ),
    Index("ix_parties_client_id", "clinic_id", "client_id"),
    Index("ix_parties_patient", "clinic_id", "patient_id", "since", "id"),
)

identifiers = tenant_table(
    "identifiers",
    column("patient_id", UUID),
    column("kind", Text),
    column("value", Text, privacy=PERSONAL_REPLACED),  # registers lead from it to the owner
    column("value_key", Text, privacy=PERSONAL_REPLACED),
    column("since", Instant),
    column("until", Instant, nullable=True),
    belongs_to("patient_id", "patients"),
    CheckConstraint("kind IN ('iso_chip', 'legacy_chip', 'tattoo', 'tag', 'municipal')", name="kind"),
    CheckConstraint("kind <> 'iso_chip' OR value_key ~ '^[0-9]{15}$'", name="iso_chip"),
    CheckConstraint("since <= until", name="in_order"),
    # Chips alone are one of a kind; a tag may hang on two collars. Beyond the clinic this would tell of others.
    Index(
        "uq_identifiers_chip",
        "clinic_id",
        "value_key",
        unique=True,
        postgresql_where=text("kind IN ('iso_chip', 'legacy_chip') AND until IS NULL"),
    ),
    Index(
        "uq_identifiers_patient",
        "clinic_id",
        "patient_id",
        "kind",
        "value_key",
        unique=True,
        postgresql_where=text("until IS NULL"),
    ),
    Index("ix_identifiers_patient", "clinic_id", "patient_id", "since", "id"),
)

alerts = tenant_table(
    "alerts",
    column("patient_id", UUID),
    column("moment", Text),
    column("text", Text, privacy=FREE_TEXT_REPLACED),
    column("expires_on", Date, nullable=True),
    column("expires_at", Instant, nullable=True),
    column("created_at", Instant),
    column("created_by", UUID, nullable=True),
    column("ended_at", Instant, nullable=True),
    column("ended_by", UUID, nullable=True),
    belongs_to("patient_id", "patients"),
    belongs_to("created_by", "members"),
    belongs_to("ended_by", "members"),
    CheckConstraint("moment IN ('booking', 'check_in', 'exam')", name="moment"),
    CheckConstraint("(expires_on IS NULL) = (expires_at IS NULL)", name="expiry_whole"),
    Index(
        "ix_alerts_patient", "clinic_id", "patient_id", "created_at", "id", postgresql_where=text("ended_at IS NULL")
    ),
)

deaths = tenant_table(
    "deaths",
    column("patient_id", UUID),
    column("step", Text),
    column("deceased_on", Date, nullable=True),
    column("at", Instant),
    column("recorded_by", UUID, nullable=True),
    column("visits", Integer),
    column("waitlist_entries", Integer),
    column("recalls", Integer),
    column("messages", Integer),
    belongs_to("patient_id", "patients"),
    belongs_to("recorded_by", "members"),
    CheckConstraint("step IN ('recorded', 'corrected', 'revoked')", name="step"),
    CheckConstraint("(deceased_on IS NULL) = (step = 'revoked')", name="day_whole"),
    Index("ix_deaths_patient", "clinic_id", "patient_id", "at", "id"),
)

contacts = tenant_table(
    "contacts",
    column("client_id", UUID),
    column("kind", Text),
    column("value", Text, privacy=PERSONAL_DELETED),
    column("label", Text, nullable=True, privacy=PERSONAL_DELETED),
    column("created_at", Instant),
    belongs_to("client_id", "clients"),
    CheckConstraint("kind IN ('phone', 'email')", name="kind"),
    Index("ix_contacts_client_id", "clinic_id", "client_id"),
    Index("ix_contacts_value", "clinic_id", "value"),
)

consents = tenant_table(
    "consents",
    column("client_id", UUID),
    column("purpose", Text),
    column("decision", Text),
    column("text_slug", Text, nullable=True),
    column("text_version", Text, nullable=True),
    column("text_locale", Text, nullable=True),
    column("text_sha256", Text, nullable=True),
    column("source", Text),
    column("note", Text, nullable=True, privacy=FREE_TEXT_CLEARED),
    column("recorded_by", UUID, nullable=True),
    column("decided_at", Instant),
    belongs_to("client_id", "clients"),
    belongs_to("recorded_by", "members"),
    CheckConstraint("purpose IN ('data_processing', 'treatment', 'marketing', 'whatsapp', 'photos')", name="purpose"),
    CheckConstraint("decision IN ('accepted', 'declined', 'withdrawn')", name="decision"),
    CheckConstraint("source IN ('in_person', 'phone', 'whatsapp', 'portal', 'rights_request')", name="source"),
    CheckConstraint("num_nulls(text_slug, text_version, text_locale, text_sha256) IN (0, 4)", name="text"),
    CheckConstraint("decision <> 'accepted' OR text_sha256 IS NOT NULL", name="accepted_a_text"),
    Index("ix_consents_newest", "clinic_id", "client_id", "purpose", "decided_at", "id"),
)

client_merges = tenant_table(
    "client_merges",
    column("client_id", UUID),
    column("merged_id", UUID),
    column("merged_by", UUID, nullable=True),
    column("merged_at", Instant),
    column("filled", ARRAY(Text)),
    column("moved", JSONB),
    column("undone_by", UUID, nullable=True),
    column("undone_at", Instant, nullable=True),
    belongs_to("client_id", "clients"),
    belongs_to("merged_id", "clients"),
    belongs_to("merged_by", "members"),
    belongs_to("undone_by", "members"),
    Index(
        "uq_client_merges_standing", "clinic_id", "merged_id", unique=True, postgresql_where=text("undone_at IS NULL")
    ),
    Index("ix_client_merges_merged_at", "clinic_id", "merged_at", "id"),
)

# Kept by triggers of the tables above, so it repeats no reference of theirs: those are checked there.
# `id` is the client, or a patient that belongs to them now: a patient has the row once for each such client.
# `place` ranks: 0 begins the name, 1 is in it, 2 is in anything else; 4 more of who died, 8 more for who is no owner.
# Numbers stand there a second time, backwards after a `~`. `name` is the name's beginning, folded, by which rows of one
# word are in order.
search_words = Table(
    "search_words",
    metadata,
    column("clinic_id", UUID),
    column("client_id", UUID),
    column("word", Text(collation="C"), privacy=PERSONAL_DELETED),
    column("place", SmallInteger),
    column("id", UUID),
    column("name", Text(collation="C"), privacy=PERSONAL_DELETED),
    PrimaryKeyConstraint("clinic_id", "client_id", "word", "place", "id"),
    Index("ix_search_words_rank", "clinic_id", "place", "word", "name", "id", "client_id"),
)

mapping.map_imperatively(
    Client,
    clients,
    version_id_col=clients.c.version,
    version_id_generator=False,
    exclude_properties=["name_key"],
)
mapping.map_imperatively(Patient, patients, version_id_col=patients.c.version, version_id_generator=False)
mapping.map_imperatively(Party, parties)
mapping.map_imperatively(Identifier, identifiers)
mapping.map_imperatively(Alert, alerts)
mapping.map_imperatively(Death, deaths)
mapping.map_imperatively(Contact, contacts)
mapping.map_imperatively(Consent, consents)
mapping.map_imperatively(Merge, client_merges)
