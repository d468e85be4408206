"""A clinic of 100,000 clients and 150,000 patients, made by SQL from syllables, and others just like it.

Names are as skewed as people's are: of the given names the first is borne by one in ten, of the family names by one in
fifty, of the patients' by one in twenty.
"""

from random import Random
from uuid import UUID

import asyncpg

from coravet.adapters.local import demo_words
from coravet.core.kernel.text import fold

CLIENTS, PATIENTS = 100_000, 150_000

_CONSONANTS = (*"bcdfgjlmnñprstvyz", "ch", "gu", "ll", "qu", "br", "cr", "tr", "pl", "gr")
_VOWELS = (*"aeiouaeo", "ia", "ue")


async def generate(admin: asyncpg.Connection, clinic_id: UUID, clients: int, patients: int) -> None:
    """Fill a clinic, in one statement a table, so that the search's triggers run as in an import."""
    await admin.execute(
        "CREATE TEMP TABLE vocabulary (kind text, n integer, shown text, folded text, PRIMARY KEY (kind, n))"
    )
    people = {word for name in demo_words.WOMEN + demo_words.MEN for word in name.split()}
    animals = {name for both in demo_words.NAMES.values() for names in both for name in names}
    breeds = {breed for each in demo_words.BREEDS.values() for breed in each}
    kinds = {
        "given": _names(700, sorted(people), 1, ("n", "a", "o", "el", "la", "r"), 2),
        "family": _names(4000, sorted(demo_words.FAMILIES), 2, ("z", "s", "no", "ro", "lla", "l", "da", "n"), 3),
        "animal": _names(2500, sorted(animals), 3, ("y", "a", "o", "is", "i", "ta", "to"), 2),
        "breed": sorted(breeds),
    }
    await admin.copy_records_to_table(
        "vocabulary",
        records=[(kind, n, word, fold(word)) for kind, all_ in kinds.items() for n, word in enumerate(all_)],
    )
    # The logarithm of what it picks is even, so that a word is as rare as its place in the list is far; `flat` of the
    # first ones are about as common.
    await admin.execute(
        "CREATE FUNCTION pg_temp.pick(n integer, flat float) RETURNS integer LANGUAGE sql VOLATILE AS"
        " $$ SELECT floor(flat * power((n + flat) / flat, random()) - flat)::integer $$"
    )
    await admin.execute("SELECT setseed(0.5)")
    await admin.execute(_CLIENTS, clinic_id, clients)
    await admin.execute(_PATIENTS, clinic_id, patients, len(breeds))
    await admin.execute(
        f"CREATE TEMP TABLE owner AS SELECT row_number() OVER () AS n, id FROM clients WHERE clinic_id = '{clinic_id}'"  # noqa: S608 -- our own id
    )
    await admin.execute(_PARTIES.format(role="owner", which=_WITHOUT_OWNER), clinic_id)
    await admin.execute(_PARTIES.format(role="co_owner", which="random() < 0.02"), clinic_id)
    await admin.execute(_CHIPS, clinic_id)
    await admin.execute("DROP TABLE owner; DROP TABLE vocabulary")


async def copy(admin: asyncpg.Connection, clinic_id: UUID, others: list[UUID]) -> None:
    """Other clinics with the same rows, index included: past triggers and references, which were met once."""
    for table in ("clients", "patients", "parties", "identifiers", "search_words"):
        columns = await admin.fetch(
            "SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attname <> 'clinic_id' ORDER BY attnum",
            table,
        )
        names = ", ".join(column["name"] for column in columns)
        order = "client_id, word, place, id" if table == "search_words" else "id"
        for other in others:
            await admin.execute(
                f"INSERT INTO {table} (clinic_id, {names}) SELECT $2, {names} FROM {table} WHERE clinic_id = $1"  # noqa: S608 -- catalogue's names
                f" ORDER BY {order}",
                clinic_id,
                other,
            )
        print(f"  {table}: {len(others)} clinics", flush=True)


def _names(count: int, first: list[str], seed: int, ends: tuple[str, ...], syllables: int) -> list[str]:
    """Names of real length and variety that nobody need bear, after some that are common."""
    chance = Random(seed)  # noqa: S311 -- the same names each time
    made = dict.fromkeys(first)
    while len(made) < count:
        parts = [chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randint(1, syllables))]
        name = "".join(parts) + chance.choice(ends)
        if chance.random() < 0.25:
            name = name.replace("a", "á", 1)
        made[name.capitalize()] = None
    return list(made)


_CLIENTS = """
INSERT INTO clients (clinic_id, id, given_name, family_name, document_type, document_number, phone, email, search_key,
    version, created_at)
SELECT $1, x.id, concat_ws(' ', g.shown, h.shown), concat_ws(' ', f.shown, e.shown),
    CASE WHEN x.document IS NOT NULL THEN 'passport' END, x.document, x.phone,
    CASE WHEN random() < 0.4 THEN g.folded || '.' || x.n || '@correo.test' END,
    concat_ws(' ', g.folded, h.folded, f.folded, e.folded), 1, now() - x.n * interval '1 minute'
FROM (SELECT n, uuidv7(n * interval '-1 minute') AS id, pg_temp.pick(700, 1.5) AS g,
        CASE WHEN random() < 0.6 THEN pg_temp.pick(700, 1.5) END AS h, pg_temp.pick(4000, 8) AS f,
        CASE WHEN random() < 0.85 THEN pg_temp.pick(4000, 8) END AS e,
        CASE WHEN random() < 0.8
            THEN lpad((1 + floor(random() * 24))::text, 2, '0') || 50000000 + n * 17 END AS document,
        '+59390' || lpad(floor(random() * 1e7)::text, 7, '0') AS phone
    FROM generate_series(1, $2::integer) AS n OFFSET 0) x
JOIN vocabulary g ON g.kind = 'given' AND g.n = x.g LEFT JOIN vocabulary h ON h.kind = 'given' AND h.n = x.h
JOIN vocabulary f ON f.kind = 'family' AND f.n = x.f LEFT JOIN vocabulary e ON e.kind = 'family' AND e.n = x.e
"""
_PATIENTS = """
INSERT INTO patients (clinic_id, id, name, species, breed, sex, reproductive_status, search_key, version, created_at,
    deceased_on)
SELECT $1, x.id, a.shown, 'dog', b.shown, 'female', 'intact', concat_ws(' / ', a.folded, b.folded), 1, now(),
    CASE WHEN random() < 0.15 THEN current_date END
FROM (SELECT uuidv7(n * interval '-40 second') AS id, pg_temp.pick(2500, 3) AS a,
        CASE WHEN random() < 0.9 THEN pg_temp.pick($3::integer, 1) END AS b
    FROM generate_series(1, $2::integer) AS n OFFSET 0) x
JOIN vocabulary a ON a.kind = 'animal' AND a.n = x.a LEFT JOIN vocabulary b ON b.kind = 'breed' AND b.n = x.b
"""
_PARTIES = """
INSERT INTO parties (clinic_id, id, patient_id, client_id, role, since, may_consent)
SELECT $1, uuidv7(), p.id, o.id, '{role}', now(), true
FROM (SELECT id, 1 + floor(random() * (SELECT count(*) FROM owner))::integer AS n FROM patients
    WHERE clinic_id = $1 AND {which}) p JOIN owner o USING (n)
"""
_WITHOUT_OWNER = (
    "NOT EXISTS (SELECT FROM parties t WHERE t.clinic_id = patients.clinic_id AND t.patient_id = patients.id)"
)
_CHIPS = """
INSERT INTO identifiers (clinic_id, id, patient_id, kind, value, value_key, since)
SELECT $1, uuidv7(), id, 'iso_chip', chip, chip, now()
FROM (SELECT id, '9410000' || lpad((row_number() OVER () * 613)::text, 8, '0') AS chip FROM patients
    WHERE clinic_id = $1 AND random() < 0.4) p
"""
