"""The words by which clients and patients are found, kept by triggers.

Whoever writes clients, contacts, patients, parties or identifiers, one row or fifty thousand in one statement, need not
know of it. What changes takes its words along: none outlives the text that it comes from.
"""

import sqlalchemy as sa
from alembic import op

from coravet.adapters.postgres.guarding import as_system, guard, past_policies

revision = "0023"
down_revision = "0022"

# As `core.patients.search.kept` does it, of text that was folded already.
KEPT = """
CREATE FUNCTION kept_words(folded text) RETURNS text LANGUAGE sql AS $$
    WITH plain AS (SELECT regexp_replace(folded, '[''\u2019\u02bc`\u00b4]', '', 'g') AS text),
    parted AS (SELECT trim(regexp_replace(text, '[^[:alnum:]]+', ' ', 'g')) AS text FROM plain),
    neighbours AS (
        SELECT lag(word) OVER (ORDER BY n) AS before, word
        FROM parted, unnest(string_to_array(parted.text, ' ')) WITH ORDINALITY AS u(word, n)
    )
    SELECT concat_ws(' ', parted.text,
        (SELECT string_agg(regexp_replace(token, '[^[:alnum:]]+', '', 'g'), ' ')
         FROM plain, unnest(string_to_array(plain.text, ' ')) AS token
         WHERE token ~ '[^[:alnum:]]' AND token ~ '[[:digit:]]' AND token ~ '[[:alpha:]]'),
        (SELECT string_agg(before || word, ' ') FROM neighbours
         WHERE (before ~ '^[[:digit:]]+$') <> (word ~ '^[[:digit:]]+$')))
    FROM parted
$$
"""
NAMES_ONLY = """
UPDATE clients SET search_key = kept_words(array_to_string(
    (string_to_array(search_key, ' '))
        [1 : cardinality(string_to_array(search_key, ' ')) - num_nonnulls(document_number, phone, email)], ' '))
"""
WITH_NUMBERS = """
UPDATE clients SET search_key = concat_ws(' ', search_key, lower(document_number), phone, lower(email))
"""
NAME_AND_BREED = """
UPDATE patients
SET search_key = concat_ws(' / ', kept_words(array_to_string(words[: named], ' ')),
    nullif(kept_words(array_to_string(words[named + 1 :], ' ')), ''))
FROM (SELECT clinic_id, id, string_to_array(search_key, ' ') AS words,
          cardinality(regexp_split_to_array(name, '\\s+')) AS named FROM patients) AS split
WHERE patients.clinic_id = split.clinic_id AND patients.id = split.id
"""
TOGETHER = "UPDATE patients SET search_key = replace(search_key, ' / ', ' ')"

# A number is found by how it begins and how it ends.
BOTH_WAYS = "unnest(ARRAY[{0}, '~' || reverse({0})])"

HELPERS = {
    "drop_client_words(uuid[], uuid[])": """
CREATE FUNCTION drop_client_words(clinics uuid[], ids uuid[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM search_words s USING unnest(clinics, ids) AS x(clinic_id, id)
    WHERE s.clinic_id = x.clinic_id AND s.client_id = x.id AND s.id = x.id
$$""",
    "put_client_words(uuid[], uuid[])": f"""
CREATE FUNCTION put_client_words(clinics uuid[], ids uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_words (clinic_id, client_id, word, place, id, name)
    SELECT c.clinic_id, c.id, left(w.word, 40), w.place + CASE WHEN c.deceased_on IS NULL THEN 0 ELSE 4 END, c.id,
        left(c.search_key, 40)
    FROM unnest(clinics, ids) AS x(clinic_id, id)
    JOIN clients c ON c.clinic_id = x.clinic_id AND c.id = x.id AND c.merged_into_id IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE n WHEN 1 THEN 0 ELSE 1 END, word
        FROM unnest(string_to_array(c.search_key, ' ')) WITH ORDINALITY AS u(word, n)
        UNION ALL SELECT 2, {BOTH_WAYS.format("lower(c.document_number)")}
        UNION ALL SELECT 2, lower(c.email)
        UNION ALL SELECT 2, {BOTH_WAYS.format("ltrim(c.phone, '+')")}
        UNION ALL SELECT 2, lower(k.value) FROM contacts k
            WHERE k.clinic_id = c.clinic_id AND k.client_id = c.id AND k.kind = 'email'
        UNION ALL SELECT 2, {BOTH_WAYS.format("ltrim(k.value, '+')")} FROM contacts k
            WHERE k.clinic_id = c.clinic_id AND k.client_id = c.id AND k.kind = 'phone'
    ) AS w(place, word)
    WHERE w.word <> ''
    ON CONFLICT DO NOTHING
$$""",  # noqa: S608 -- our own texts
    "drop_patient_words(uuid[], uuid[], uuid[])": """
CREATE FUNCTION drop_patient_words(clinics uuid[], ids uuid[], clients uuid[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM search_words s USING unnest(clinics, ids, clients) AS x(clinic_id, id, client_id)
    WHERE s.clinic_id = x.clinic_id AND s.client_id = x.client_id AND s.id = x.id
$$""",
    "put_patient_words(uuid[], uuid[])": f"""
CREATE FUNCTION put_patient_words(clinics uuid[], ids uuid[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO search_words (clinic_id, client_id, word, place, id, name)
    SELECT p.clinic_id, o.client_id, left(w.word, 40),
        w.place + CASE WHEN p.deceased_on IS NULL THEN 0 ELSE 4 END + CASE o.role WHEN 'owner' THEN 0 ELSE 8 END,
        p.id, left(split_part(p.search_key, ' / ', 1), 40)
    FROM unnest(clinics, ids) AS x(clinic_id, id)
    JOIN patients p ON p.clinic_id = x.clinic_id AND p.id = x.id
    JOIN parties o ON o.clinic_id = x.clinic_id AND o.patient_id = x.id AND o.until IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE n WHEN 1 THEN 0 ELSE 1 END, word
        FROM unnest(string_to_array(split_part(p.search_key, ' / ', 1), ' ')) WITH ORDINALITY AS u(word, n)
        UNION ALL SELECT 2, unnest(string_to_array(split_part(p.search_key, ' / ', 2), ' '))
        UNION ALL SELECT 2, {BOTH_WAYS.format("lower(i.value_key)")} FROM identifiers i
            WHERE i.clinic_id = p.clinic_id AND i.patient_id = p.id AND i.until IS NULL
        UNION ALL SELECT 2, regexp_split_to_table(lower(i.value), '[^[:alnum:]]+') FROM identifiers i
            WHERE i.clinic_id = p.clinic_id AND i.patient_id = p.id AND i.until IS NULL AND i.kind NOT LIKE '%chip'
    ) AS w(place, word)
    WHERE w.word <> ''
    ON CONFLICT DO NOTHING
$$""",  # noqa: S608 -- our own texts
}

# Rows of the statement are `was` and `now`. Several may write of one client or patient at a time: the lock on their row
# lets them in one after the other, so that who comes last sees, and keeps, what the others wrote.
TRIGGERS = {
    "clients": """
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(clinic_id), array_agg(id) INTO clinics, ids FROM now;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(clinic_id), array_agg(id) INTO clinics, ids FROM was;
        PERFORM drop_client_words(clinics, ids);
    ELSE
        SELECT array_agg(now.clinic_id), array_agg(now.id) INTO clinics, ids FROM now JOIN was USING (clinic_id, id)
        WHERE (now.search_key, now.document_number, now.phone, now.email, now.deceased_on, now.merged_into_id)
            IS DISTINCT FROM (was.search_key, was.document_number, was.phone, was.email, was.deceased_on,
            was.merged_into_id);
        PERFORM drop_client_words(clinics, ids);
    END IF;
    PERFORM put_client_words(clinics, ids);
""",
    "contacts": """
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(clinic_id), array_agg(client_id) INTO clinics, ids
        FROM (SELECT DISTINCT clinic_id, client_id FROM now) AS x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(clinic_id), array_agg(client_id) INTO clinics, ids
        FROM (SELECT DISTINCT clinic_id, client_id FROM was) AS x;
    ELSE
        SELECT array_agg(clinic_id), array_agg(client_id) INTO clinics, ids
        FROM (SELECT clinic_id, client_id FROM now UNION SELECT clinic_id, client_id FROM was) AS x;
    END IF;
    PERFORM FROM clients c JOIN unnest(clinics, ids) AS x(clinic_id, id) USING (clinic_id, id)
        ORDER BY c.id FOR NO KEY UPDATE OF c;
    IF TG_OP <> 'INSERT' THEN
        PERFORM drop_client_words(clinics, ids);
    END IF;
    PERFORM put_client_words(clinics, ids);
""",
    "patients": """
    SELECT array_agg(now.clinic_id), array_agg(now.id) INTO clinics, ids FROM now JOIN was USING (clinic_id, id)
    WHERE (now.search_key, now.deceased_on) IS DISTINCT FROM (was.search_key, was.deceased_on);
    PERFORM drop_patient_words(array_agg(o.clinic_id), array_agg(o.patient_id), array_agg(o.client_id))
        FROM unnest(clinics, ids) AS x(clinic_id, id)
        JOIN parties o ON o.clinic_id = x.clinic_id AND o.patient_id = x.id AND o.until IS NULL;
    PERFORM put_patient_words(clinics, ids);
""",
    "parties": """
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(clinic_id), array_agg(patient_id) INTO clinics, ids
        FROM (SELECT DISTINCT clinic_id, patient_id FROM now) AS x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(clinic_id), array_agg(patient_id) INTO clinics, ids
        FROM (SELECT DISTINCT clinic_id, patient_id FROM was) AS x;
    ELSE
        SELECT array_agg(clinic_id), array_agg(patient_id) INTO clinics, ids
        FROM (SELECT clinic_id, patient_id FROM now UNION SELECT clinic_id, patient_id FROM was) AS x;
    END IF;
    PERFORM FROM patients p JOIN unnest(clinics, ids) AS x(clinic_id, id) USING (clinic_id, id)
        ORDER BY p.id FOR NO KEY UPDATE OF p;
    IF TG_OP <> 'INSERT' THEN
        PERFORM drop_patient_words(array_agg(clinic_id), array_agg(patient_id), array_agg(client_id)) FROM was;
    END IF;
    PERFORM put_patient_words(clinics, ids);
""",
    "identifiers": """
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(clinic_id), array_agg(patient_id) INTO clinics, ids
        FROM (SELECT DISTINCT clinic_id, patient_id FROM now) AS x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(clinic_id), array_agg(patient_id) INTO clinics, ids
        FROM (SELECT DISTINCT clinic_id, patient_id FROM was) AS x;
    ELSE
        SELECT array_agg(clinic_id), array_agg(patient_id) INTO clinics, ids
        FROM (SELECT clinic_id, patient_id FROM now UNION SELECT clinic_id, patient_id FROM was) AS x;
    END IF;
    PERFORM FROM patients p JOIN unnest(clinics, ids) AS x(clinic_id, id) USING (clinic_id, id)
        ORDER BY p.id FOR NO KEY UPDATE OF p;
    IF TG_OP <> 'INSERT' THEN
        PERFORM drop_patient_words(array_agg(o.clinic_id), array_agg(o.patient_id), array_agg(o.client_id))
            FROM unnest(clinics, ids) AS x(clinic_id, id)
            JOIN parties o ON o.clinic_id = x.clinic_id AND o.patient_id = x.id AND o.until IS NULL;
    END IF;
    PERFORM put_patient_words(clinics, ids);
""",
}
ROWS = {
    "INSERT": "NEW TABLE AS now",
    "UPDATE": "OLD TABLE AS was NEW TABLE AS now",
    "DELETE": "OLD TABLE AS was",
}


def _events(table: str) -> list[str]:
    """A patient has no words before it has a party, and none once it has none left."""
    return ["UPDATE"] if table == "patients" else list(ROWS)


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("clinic_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", "client_id", "word", "place", "id", name=op.f("pk_search_words")),
    )
    op.create_index("ix_search_words_rank", "search_words", ["clinic_id", "place", "word", "name", "id", "client_id"])
    guard("search_words", "SELECT")
    op.execute(KEPT)
    with past_policies("clients", "patients"):
        op.execute(NAMES_ONLY)
        op.execute(NAME_AND_BREED)
    op.execute("DROP FUNCTION kept_words")
    owner = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    with as_system():
        for signature, declaration in HELPERS.items():
            op.execute(declaration)
            op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        for table, body in TRIGGERS.items():
            op.execute(
                f"CREATE FUNCTION search_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
                f" SET search_path = public, pg_temp AS $$ DECLARE clinics uuid[]; ids uuid[];"
                f" BEGIN {body} RETURN NULL; END $$"
            )
            op.execute(f"REVOKE ALL ON FUNCTION search_{table}() FROM PUBLIC")
            op.execute(f'GRANT EXECUTE ON FUNCTION search_{table}() TO "{owner}"')
        op.execute("SELECT put_client_words(array_agg(clinic_id), array_agg(id)) FROM clients")
        op.execute("SELECT put_patient_words(array_agg(clinic_id), array_agg(id)) FROM patients")
    for table in TRIGGERS:
        for event in _events(table):
            op.execute(
                f"CREATE TRIGGER search_{table}_{event.lower()} AFTER {event} ON {table} REFERENCING {ROWS[event]}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION search_{table}()"
            )


def downgrade() -> None:
    for table in TRIGGERS:
        for event in _events(table):
            op.execute(f"DROP TRIGGER search_{table}_{event.lower()} ON {table}")
    with as_system():
        for table in TRIGGERS:
            op.execute(f"DROP FUNCTION search_{table}()")
        for signature in HELPERS:
            op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("search_words")
    with past_policies("clients", "patients"):
        op.execute(WITH_NUMBERS)
        op.execute(TOGETHER)
