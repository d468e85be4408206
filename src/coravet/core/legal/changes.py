"""Which class of change a new text needs at least, as far as a machine can tell.

What data are for, who receives them and where they go is what people are told before they decide (LOPDP art. 12) and
what they consent to (arts. 7, 8). So a change of that must be accepted anew, whoever publishes it and however small it
seems: it is major. The sections on it are known by their headings, in Spanish and in English. All else a person judges.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import msgspec

from coravet.core.kernel.text import fold
from coravet.core.legal.documents import Change

Subject = Literal["purposes", "recipients", "transfers"]

_SUBJECTS: dict[Subject, re.Pattern[str]] = {
    "purposes": re.compile(r"\b(finalidad(es)?|propositos?|para que|purposes?|what for)\b"),
    "recipients": re.compile(r"\b(destinatari[oa]s?|subencargad[oa]s?|recipients?|sub-?processors?)\b"),
    "transfers": re.compile(r"\b(transferencias?|transfers?)\b"),
}
"""What headings are searched for, folded."""

_HEADING = re.compile(r"(#{2,6}) +(.*)")
_NUMBERING = re.compile(
    r"(?:(?:art[íi]culo|article|cl[áa]usula|clause|secci[óo]n|section) +)?"
    r"(?:\d+(?:\.\d+)*(?:[.):ºª°-]+| ) *|(?:[ivxlcdm]+|[a-z])[.):]+ *)",
    re.IGNORECASE,
)
_LAID_OUT = re.compile(r"^ *(?:[-+*]|\d+[.)]) +|[*_`>|\\]", re.MULTILINE)
"""What shows words otherwise without changing them: marks of lists, emphasis, quotations and tables."""

_WORD = re.compile(r"\w+|[^\w\s]")


class Section(msgspec.Struct, frozen=True):
    """A heading with all below it, up to the next of its level or a higher one.

    Attributes:
        heading: without its marks and its number.
        subjects: those by which a change is major that it is about; none for most.
        words: of heading and text, punctuation included, whatever their layout, numbering and case.
    """

    heading: str
    subjects: frozenset[Subject]
    words: tuple[str, ...]


def sections(text: str) -> list[Section]:
    """The sections of a text in their order, those that stand within others as well."""
    lines = [_HEADING.fullmatch(line) or line for line in text.split("\n")]
    return [_section(lines, at) for at, line in enumerate(lines) if isinstance(line, re.Match)]


def changed_sections(before: str, after: str) -> list[str]:
    """Headings of sections on purposes, recipients or transfers that were added, removed or changed in words."""
    told, tells = _on_subjects(before), _on_subjects(after)
    was, becomes = Counter(section.words for section in told), Counter(section.words for section in tells)
    differing = (was - becomes) + (becomes - was)
    return list(dict.fromkeys(section.heading for section in [*tells, *told] if section.words in differing))


def least_class(before: str, after: str) -> Change:
    """The least class of change under which `after` may replace `before`.

    Sections that came or went are at least minor: nobody should find them by chance. Whether other words mean
    something else than before, their author has to say.
    """
    if changed_sections(before, after):
        return "major"
    if {section.heading.casefold() for section in sections(before)} != {
        section.heading.casefold() for section in sections(after)
    }:
        return "minor"
    return "editorial"


def _section(lines: list[str | re.Match[str]], at: int) -> Section:
    heading, *below = _below(lines, at)
    folded = fold(heading)
    return Section(
        heading=heading,
        subjects=frozenset(subject for subject, words in _SUBJECTS.items() if words.search(folded)),
        words=tuple(_WORD.findall(_LAID_OUT.sub("", "\n".join([heading, *below])).casefold())),
    )


def _below(lines: list[str | re.Match[str]], at: int) -> Iterator[str]:
    """The heading there and the lines of its section, headings without marks and numbers."""
    level = None
    for line in lines[at:]:
        if isinstance(line, str):
            yield line
        elif level is None or len(line[1]) > level:
            level = level or len(line[1])
            number = _NUMBERING.match(line[2])
            yield line[2][number.end() :] if number else line[2]
        else:
            return


def _on_subjects(text: str) -> list[Section]:
    return [section for section in sections(text) if section.subjects]
