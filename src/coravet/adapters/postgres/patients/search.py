"""Finding clients and patients by the words that triggers keep of them.

All is asked of `search_words` in ranges of its two B-trees: text in the collation "C" compares without leaking, so that
row-level security and the indexes work together. What may be long, a common word's rows, is read in the order of rank
and left after a page, or met with another word's rows; from a rare word's rows the others are looked up one by one.
"""

from functools import cache

from coravet.adapters.postgres.work import PostgresWork
from coravet.core.patients.ports import Word
from coravet.core.patients.views import FoundView

RARE = 400
"""Rows of a word up to which looking the other words up one by one is cheaper than meeting all of theirs."""

MEANT = 40
"""Mistakes of a word that are looked for, at most."""

_END = "chr(1114111)"  # no character sorts after it, so that a range up to it holds all that begins so
_FIRST_OWNERS = "'{0,1,2,4,5,6}'::smallint[]"
_ALL = "'{0,1,2,4,5,6,8,9,10,12,13,14}'::smallint[]"
_NAMES = "'{0,1,4,5}'::smallint[]"
"""Places, see `search_words`: of clients and of patients by their owner, by anybody they belong to, and of names."""

_COUNT = f"""
SELECT (SELECT count(*) FROM (
    SELECT FROM unnest($1::text[], $2::integer[]) AS f(form, number)
    CROSS JOIN LATERAL (
        SELECT FROM search_words s
        WHERE s.place = ANY ({_ALL}) AND s.word >= f.form AND s.word < f.form || {_END} LIMIT {RARE + 1}) s
    WHERE f.number = w.number LIMIT {RARE + 1}) AS counted)
FROM generate_series(0, $3 - 1) AS w(number) ORDER BY w.number
"""  # noqa: S608 -- put together from our own texts

_MEANT = f"""
SELECT form FROM unnest($1::text[]) WITH ORDINALITY AS m(form, n)
WHERE (SELECT true FROM search_words s
       WHERE s.place = ANY ({_NAMES}) AND s.word >= m.form AND s.word < m.form || {_END} LIMIT 1)
ORDER BY (SELECT true FROM search_words s WHERE s.place = ANY ({_NAMES}) AND s.word = m.form LIMIT 1), n LIMIT {MEANT}
"""  # noqa: S608 -- put together from our own texts
"""Which mistakes would explain a word, for a name begins so: whole names first, then the likeliest mistakes."""

_SHOWN = """, best AS (SELECT * FROM hits ORDER BY place, inexact, word, name, id LIMIT $1),
theirs AS (
    SELECT DISTINCT ON (o.patient_id) o.patient_id, b.id AS client_id, b.place, b.inexact, b.word, b.name FROM best b
    CROSS JOIN LATERAL (
        SELECT o.patient_id FROM parties o WHERE o.client_id = b.id AND o.until IS NULL ORDER BY o.id LIMIT $1) o
    WHERE b.id = b.client_id AND o.patient_id NOT IN (SELECT id FROM best) AND o.patient_id <> ALL ($2::uuid[])
    ORDER BY o.patient_id, b.place, b.inexact, b.word, b.name, b.id
),
found AS (
    SELECT 0 AS later, id, client_id, place, inexact, word, name AS key FROM best
    UNION ALL SELECT 1, patient_id, client_id, place, inexact, word, name FROM theirs
)
SELECT CASE WHEN f.id = f.client_id THEN 'client' ELSE 'patient' END, f.id, x.name, x.detail, x.client_id, x.species,
    x.dead
FROM found f
CROSS JOIN LATERAL (
    SELECT c.given_name || ' ' || c.family_name AS name, c.phone AS detail, c.id AS client_id, NULL AS species,
        c.deceased_on IS NOT NULL AS dead
    FROM clients c WHERE f.id = f.client_id AND c.id = f.id
    UNION ALL
    SELECT p.name, c.given_name || ' ' || c.family_name, c.id, p.species,
        p.deceased_on IS NOT NULL FROM patients p
    JOIN parties o ON o.clinic_id = p.clinic_id AND o.patient_id = p.id AND o.role = 'owner' AND o.until IS NULL
    JOIN clients c ON c.clinic_id = o.clinic_id AND c.id = o.client_id
    WHERE f.id <> f.client_id AND p.id = f.id LIMIT 1) x
ORDER BY f.later, f.place, f.inexact, f.word, f.key, CASE f.later WHEN 1 THEN f.client_id END, x.dead,
    CASE f.later WHEN 1 THEN x.name END, f.id LIMIT $1
"""


class SearchOnPostgres:
    """Whom somebody means."""

    def __init__(self, work: PostgresWork) -> None:
        self._work = work
        self._counts: list[int] = []

    async def as_typed(self, words: list[Word], limit: int) -> list[FoundView]:
        self._counts = await self._count(words)
        return await self._found(list(zip(self._counts, words, strict=True)), limit, [])

    async def with_a_typo(self, words: list[Word], limit: int, but: list[FoundView]) -> list[FoundView]:
        counted = list(zip(self._counts, words, strict=True))
        # Most likely to be mistyped is what nobody has; where there are several such words, no typo explains them.
        place = min((n for n, word in enumerate(words) if word.typos), key=self._counts.__getitem__)
        meant = [row["form"] for row in await self._work.fetch(_MEANT, words[place].typos)]
        if not meant:
            return []
        counted[place] = RARE + 1, Word(tuple(meant))
        return await self._found(counted, limit, but)

    async def _count(self, words: list[Word]) -> list[int]:
        """How many rows each word has, up to one more than are rare; of a single word it does not matter."""
        if len(words) == 1:
            return [0]
        # Planned anew, for the number of forms alone, each search of several words would take a millisecond longer.
        await self._work.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        forms = [form for word in words for form in word.forms]
        numbers = [number for number, word in enumerate(words) for _ in word.forms]
        return [row["count"] for row in await self._work.fetch(_COUNT, forms, numbers, len(words))]

    async def _found(self, counted: list[tuple[int, Word]], limit: int, but: list[FoundView]) -> list[FoundView]:
        if len(counted) == 1:
            hits = _one()
        elif not all(count for count, _ in counted):
            return []
        else:
            counted = sorted(counted, key=lambda each: (each[0], -len(each[1].forms[0])))
            rare = counted[0][0] <= RARE
            if rare or any(len(form) == 1 for _, word in counted for form in word.forms):
                hits = _looked_up(len(counted), "4000" if rare else "10 * $1")
            else:
                counted.reverse()  # PostgreSQL hashes what is joined: of common words the longer have fewer rows
                hits = _met(len(counted))
        rows = await self._work.fetch(
            f"WITH hits AS ({hits}){_SHOWN}", limit, [each.id for each in but], *(word.forms for _, word in counted)
        )
        return [FoundView(*row.values()) for row in rows]


def having(words: list[Word] | None, column: str, first: int, *, of_clients: bool) -> str:
    """A condition on rows whose id is this column: that they have all of these words themselves; of none, nobody has.

    Args:
        words: None for a list of everybody.
        first: the number of the first of as many parameters, the words' forms.
    """
    if words is None:
        return ""
    if not words:
        return "AND false"
    joins = "".join(
        f" JOIN {_rows(first + n)} s{n} ON s{n}.client_id = s0.client_id AND s{n}.id = s0.id"
        for n in range(1, len(words))
    )
    # An array is made once and looked up in the table's own key; a subquery PostgreSQL may join in any order.
    return (
        f"AND {column} = ANY (ARRAY(SELECT s0.id FROM {_rows(first)} s0{joins}"  # noqa: S608 -- as above
        f" WHERE s0.id {'=' if of_clients else '<>'} s0.client_id))"
    )


def _begins(form: str) -> str:
    return f"s.word >= {form} AND s.word < {form} || {_END}"


def _rows(parameter: int, where: str = f"s.place = ANY ({_ALL}) OFFSET 0") -> str:
    """The rows of one word, in any of its forms, that has this parameter; form by form, so that an index finds them."""
    return (
        f"(SELECT s.* FROM unnest(${parameter}::text[]) AS f(form) CROSS JOIN LATERAL"  # noqa: S608 -- as above
        " (SELECT s.client_id, s.id, s.place, s.name, (s.word <> f.form)::integer AS inexact"
        f" FROM search_words s WHERE {_begins('f.form')} AND {where}) s)"
    )


@cache
def _one() -> str:
    """Rows of one word, rank by rank, each in order and no more than a page needs: a row may tell of the same again."""
    return f"""
        SELECT DISTINCT ON (s.id) s.id, s.client_id, s.place, s.inexact, s.word, s.name
        FROM unnest($3::text[]) AS f(form) CROSS JOIN unnest({_FIRST_OWNERS}) AS at(place)
        CROSS JOIN LATERAL (
            SELECT s.id, s.client_id, s.place, (s.word <> f.form)::integer AS inexact, s.word, s.name
            FROM search_words s WHERE s.place = at.place AND {_begins("f.form")}
            ORDER BY s.word, s.name, s.id LIMIT 3 * ($1 + cardinality($2::uuid[]))) s
        WHERE s.id <> ALL ($2::uuid[]) ORDER BY s.id, s.place, s.inexact, s.word
    """  # noqa: S608 -- as above


@cache
def _met(count: int) -> str:
    """All rows of each word, and where they meet."""
    joins = "".join(f" JOIN {_rows(n + 3)} s{n} ON {_same(f's{n}', n)}" for n in range(1, count))
    return _hits(count, f"{_rows(3)} s0{joins}", "")


@cache
def _looked_up(count: int, most: str) -> str:
    """The first word's rows in the order of rank, and for each the other words, until there are so many hits."""
    lookups = ""
    for n in range(1, count):
        where = f"{_same('s', n)} LIMIT 200"
        lookups += f" CROSS JOIN LATERAL {_rows(n + 3, where)} s{n}"
    first = f"""(
        SELECT s.* FROM unnest({_ALL}) AS at(place) CROSS JOIN unnest($3::text[]) AS f(form)
        CROSS JOIN LATERAL (
            SELECT s.client_id, s.id, s.place, s.name, (s.word <> f.form)::integer AS inexact FROM search_words s
            WHERE s.place = at.place AND {_begins("f.form")} ORDER BY s.word, s.name, s.id) s
        LIMIT 4000) s0"""  # noqa: S608 -- as above
    return _hits(count, first + lookups, f"LIMIT {most}")


def _same(row: str, n: int) -> str:
    """Whether a row is of whom the words before it mean: a patient as soon as one of them does, else the client."""
    meant = _meant(n)
    return f"{row}.client_id = s0.client_id AND ({row}.id IN (s0.client_id, {meant}) OR {meant} = s0.client_id)"


def _meant(count: int) -> str:
    return f"coalesce({', '.join(f'nullif(s{n}.id, s0.client_id)' for n in range(count))}, s0.client_id)"


def _hits(count: int, rows: str, limit: str) -> str:
    """Clients who have all the words, and patients who have some and somebody they belong to the others."""
    meant = _meant(count)
    inexact = " + ".join(f"s{n}.inexact" for n in range(count))
    places = ", ".join(f"CASE s{n}.id WHEN {meant} THEN s{n}.place & 7 END" for n in range(count))
    names = ", ".join(f"CASE s{n}.id WHEN {meant} THEN s{n}.name END" for n in range(count))
    return f"""
        SELECT DISTINCT ON (x.id) x.id, x.client_id, x.place, x.inexact, '' AS word, x.name FROM (
            SELECT {meant} AS id, s0.client_id, least({places}) AS place, {inexact} AS inexact,
                coalesce({names}) AS name
            FROM {rows} {limit}) x
        WHERE x.id <> ALL ($2::uuid[]) ORDER BY x.id, x.place, x.inexact
    """  # noqa: S608 -- as above
