"""The folder of legal texts: `<slug>/<version>.<locale>.md`, each version in every language."""

import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import PurePath

import msgspec

from coravet.core.legal.canonical import digest, faults, title_of
from coravet.core.legal.changes import sections
from coravet.core.legal.documents import DOCUMENTS, LOCALES, Locale

_NAME = re.compile(rf"((?:0|[1-9]\d*)\.(?:0|[1-9]\d*))\.({'|'.join(LOCALES)})\.md", re.ASCII)


class LegalText(msgspec.Struct, frozen=True):
    """One canonical text: a version of a document in one language.

    Attributes:
        sha256: hexadecimal, of the file's bytes, which are `text` in UTF-8.
    """

    path: PurePath
    slug: str
    version: str
    locale: Locale
    title: str
    text: str
    sha256: str


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a file, or with the lack of one.

    Attributes:
        line, column: from 1, in characters; None where the file as such is wrong.
    """

    path: PurePath
    code: str
    detail: str
    line: int | None = None
    column: int | None = None


class Examined(msgspec.Struct, frozen=True):
    """The texts that are as they must be, by slug, version and language, and all problems of the others."""

    texts: list[LegalText]
    problems: list[Problem]


def examine(files: Mapping[PurePath, bytes], root: PurePath | None = None, *, alone: bool = False) -> Examined:
    """Look at files of the folder: their places, names and form, and whether each version has all its languages.

    Args:
        files: by absolute path.
        root: the folder of all documents, where these are all its files: then every document must be there.
        alone: these are single files, which say nothing of what else there is.
    """
    texts: list[LegalText] = []
    problems: list[Problem] = []
    for path, data in files.items():
        wrong = _of_place(path)
        wrong += [Problem(path, each.code, each.detail, each.line, each.column) for each in faults(data)]
        problems += wrong
        if not wrong and (name := _NAME.fullmatch(path.name)):
            text = data.decode()
            locale = next(each for each in LOCALES if each == name[2])
            texts.append(LegalText(path, path.parent.name, name[1], locale, title_of(text), text, digest(data)))
    texts.sort(key=lambda text: (text.slug, *_order(text.version), LOCALES.index(text.locale)))
    if not alone:
        problems += [*_of_languages(files), *_of_translations(texts)]
    if root is not None:
        problems += _of_documents(files, root)
    return Examined(texts, problems)


def _of_place(path: PurePath) -> list[Problem]:
    wrong = []
    if path.parent.name not in DOCUMENTS:
        known = ", ".join(DOCUMENTS)
        wrong.append(
            Problem(path, "unknown_slug", f"No legal document is called {path.parent.name!r}; there are {known}.")
        )
    if not _NAME.fullmatch(path.name):
        wrong.append(
            Problem(
                path,
                "file_name",
                f"Nothing but texts lies here, called <version>.<locale>.md, such as 1.0.{LOCALES[0]}.md; "
                f"languages are {', '.join(LOCALES)}.",
            )
        )
    return wrong


def _of_languages(files: Mapping[PurePath, bytes]) -> list[Problem]:
    versions = {(path.parent, name[1]) for path in files if (name := _NAME.fullmatch(path.name))}
    return [
        Problem(
            missing,
            "missing_locale",
            f"Version {version} lacks its text in {locale}; write it.",
        )
        for folder, version in sorted(versions)
        for locale in LOCALES
        if (missing := folder / f"{version}.{locale}.md") not in files
    ]


def _of_translations(texts: list[LegalText]) -> list[Problem]:
    problems = []
    for (_, version), group in groupby(texts, key=lambda text: (text.path.parent, text.version)):
        first, *others = group
        outline = [section.subjects for section in sections(first.text)]
        problems += [
            Problem(
                other.path,
                "sections_differ",
                f"Version {version} has other sections in {other.locale} than in {first.locale}; give both the same "
                "headings in the same order, those on purposes, recipients and transfers among them.",
            )
            for other in others
            if [section.subjects for section in sections(other.text)] != outline
        ]
    return problems


def _of_documents(files: Mapping[PurePath, bytes], root: PurePath) -> list[Problem]:
    return [
        Problem(root / slug, "missing_document", f"The document {slug} has no text; write its first version.")
        for slug in DOCUMENTS
        if not any(path.parent == root / slug for path in files)
    ]


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
