"""Whether what was published is what the files say, looked at before the service starts.

The database is what counts: a file that was never published is a draft, and a published text whose file is missing is
one that an older image does not know yet, so that one can roll back to it. That no file at all is there of a document
means another folder, in which a changed file would go unseen.
"""

from collections.abc import Iterable, Mapping

from coravet.core.legal.documents import DOCUMENTS, REQUIRED_LOCALE
from coravet.core.legal.model import StoredText


class LegalDrift(Exception):
    """What was published is not what it must be; `problems` says each thing in a sentence for who runs the service."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def drift(rows: Iterable[StoredText], files: Mapping[tuple[str, str, str], str]) -> list[str]:
    """Everything that is wrong with the published texts.

    Args:
        files: SHA-256 in hex by slug, version and language.
    """
    problems: list[str] = []
    current: dict[str, set[str]] = {}
    languages: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        text = row.text
        name = f"legal/{text.slug}/{text.version}.{text.locale}.md"
        if row.stored != text.sha256:
            problems.append(f"The database's words of {name} do not have the hash under which they were published.")
        found = files.get((text.slug, text.version, text.locale))
        if found is not None and found != text.sha256:
            problems.append(
                f"{name} was changed after it was published: put its words back ({text.sha256}), and give the new ones"
                " a version of their own."
            )
        languages.setdefault((text.slug, text.version), set()).add(text.locale)
        if text.in_force:
            current.setdefault(text.slug, set()).add(text.version)
    shipped = {slug for slug, _, _ in files}
    for slug, versions in sorted(current.items()):
        if slug in DOCUMENTS and slug not in shipped:
            problems.append(f"No file of {slug} is there: CORAVET_LEGAL must name the folder of the legal texts.")
        if len(versions) > 1:
            problems.append(f"Several versions of {slug} are in force: {', '.join(sorted(versions))}.")
        problems += [
            f"{slug} {version} is in force and lacks the language {REQUIRED_LOCALE}."
            for version in sorted(versions)
            if REQUIRED_LOCALE not in languages[slug, version]
        ]
    return problems
