"""The search for canaries finds them however they are spelled: else finding none would mean nothing."""

import base64
import json
from urllib.parse import quote

import pytest
from tests.integration.privacy.canaries import Canaries, rows_of


@pytest.fixture
def canaries() -> Canaries:
    """A person with a name and a phone."""
    made = Canaries("spellings")
    made.word("name")
    made.phone("phone")
    return made


@pytest.mark.parametrize("field", ["name", "phone"])
@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.lower,
        str.upper,
        lambda word: word.replace("Ñ", "n").replace("é", "E"),
        lambda word: word[::-1],
        json.dumps,
        quote,
        lambda word: "\\\\x" + f"before {word} after".encode().hex(),
        lambda word: "\\\\x" + word.lower().encode("latin-1").hex(),
        *[
            lambda word, before=before, after=after: base64.b64encode(f"{before}{word}{after}".encode()).decode()
            for before in ("", "a", "ab")
            for after in ("", "y", "yz")
        ],
        lambda word: base64.urlsafe_b64encode(f"¿{word}?".encode()).decode(),
    ],
)
def test_every_spelling_is_found(canaries: Canaries, field: str, spell: object) -> None:
    """As it is, in other cases, without accents, backwards, escaped, and as bytes in hexadecimal digits or Base64."""
    assert callable(spell)
    text = f"x{spell(canaries.planted[field])}y"
    assert [each.canary for each in canaries.left_in(text, "text")] == [field]
    dump = f"COPY public.clients (id) FROM stdin;\n1\tnobody\n2\t{text}\n\\.\n"
    [found] = canaries.left_in_dump(dump)
    assert (found.canary, found.where, found.line[0]) == (field, "clients", "2")


def test_nothing_is_found_where_nothing_is(canaries: Canaries) -> None:
    """Somebody else's words are not taken for theirs."""
    other = Canaries("another")
    assert canaries.left_in(f"{other.word('name')} {other.phone('phone')}", "text") == []


def test_rows_have_their_table() -> None:
    """A dump's rows are told from all else."""
    dump = "CREATE TABLE a;\nCOPY jobs.q (a) FROM stdin;\n1\n\\.\n\nSELECT 1;"
    assert [row for row in rows_of(dump) if row[0] != "schema"] == [("jobs.q", "1")]
