"""What keeps the service from starting: published texts that are not what they must be."""

from datetime import UTC, datetime
from time import perf_counter
from uuid import UUID

import msgspec
import pytest

from coravet.core.legal.canonical import digest
from coravet.core.legal.drift import drift
from coravet.core.legal.model import PublishedText, StoredText

WORDS = digest(b"# Texto\n")

FILES = {("terms", "1.0", "es-EC"): WORDS}


def row(slug: str = "terms", version: str = "1.0", locale: str = "es-EC", *, in_force: bool = True) -> StoredText:
    text = PublishedText(
        slug=slug,
        version=version,
        version_id=UUID(int=1),
        ordinal=1,
        change="major",
        published_at=datetime(2026, 11, 23, tzinfo=UTC),
        locale=locale,
        title="Texto",
        sha256=WORDS,
        in_force=in_force,
    )
    return StoredText(text, WORDS)


def test_as_published() -> None:
    """Files as they were published, and drafts that were not, are no drift."""
    assert (
        drift([row(), row(locale="en")], {("terms", "1.0", "es-EC"): WORDS, ("terms", "2.0", "es-EC"): "other"}) == []
    )


def test_older_image() -> None:
    """An image without the newest file starts: the database's text is what counts, and one can roll back."""
    assert drift([row(in_force=False), row(version="2.0")], {("terms", "1.0", "es-EC"): WORDS}) == []


def test_changed_file() -> None:
    """A file that was changed after it was published is named, with the hash that it must have; old versions, too."""
    for in_force in (True, False):
        [problem] = drift([row(in_force=in_force)], {("terms", "1.0", "es-EC"): digest(b"# Otro\n")})
        assert problem.startswith("legal/terms/1.0.es-EC.md was changed")
        assert WORDS in problem


def test_changed_row() -> None:
    """Words that were changed in the database itself are found."""
    [problem] = drift([msgspec.structs.replace(row(), stored=digest(b"# Otro\n"))], FILES)
    assert "legal/terms/1.0.es-EC.md" in problem


def test_two_in_force() -> None:
    """Of one document only one version can be in force."""
    assert drift([row(), row(version="1.1")], FILES) == ["Several versions of terms are in force: 1.0, 1.1."]


def test_no_folder() -> None:
    """A folder without a file of what was published is another folder; documents of a newer image are none of ours."""
    [problem] = drift([row()], {("privacy", "1.0", "es-EC"): WORDS})
    assert "CORAVET_LEGAL" in problem
    assert drift([row(slug="cookies")], FILES) == []


def test_no_spanish() -> None:
    """What is in force is there in Spanish."""
    assert drift([row(locale="en")], FILES) == ["terms 1.0 is in force and lacks the language es-EC."]
    assert drift([row(locale="en", in_force=False), row(version="2.0")], FILES) == []


@pytest.mark.alone
def test_speed() -> None:
    """Two hundred versions are compared in a small part of the tenth of a second that a start may take."""
    stored = [row(version=f"1.{number}", in_force=number == 199) for number in range(200)]
    files = {("terms", f"1.{number}", "es-EC"): WORDS for number in range(200)}
    times = []
    for _ in range(3):
        began = perf_counter()
        assert drift(stored, files) == []
        times.append(perf_counter() - began)
    assert min(times) < 0.05
