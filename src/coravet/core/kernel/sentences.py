"""Sentences that people read: the core says them in English, the edge repeats them in the reader's language."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self


class Sentence(str):
    """An English sentence that remembers its pattern, so that another language can say the same.

    `Sentence("Ask for at most {most} days at once.", most=92)` reads `Ask for at most 92 days at once.` Needed where
    values are filled in, and where the sentence is not written in the call that raises it; elsewhere a plain text does.

    Attributes:
        pattern: the English with names in braces; the key under which other languages are found.
        values: what stands for the names: numbers, words, or lists of words, of which one is meant.
    """

    __slots__ = ("pattern", "values")

    pattern: str
    values: Mapping[str, Any]

    def __new__(cls, pattern: str, **values: Any) -> Self:
        """Fill in the values. Raises KeyError where the pattern names one that is not given."""
        shown = {name: " or ".join(value) if isinstance(value, list) else value for name, value in values.items()}
        sentence = super().__new__(cls, pattern.format_map(shown))
        sentence.pattern = pattern
        sentence.values = MappingProxyType(values)
        return sentence

    def __str__(self) -> str:
        """Itself, so that `str(error)` of an error that was raised with a sentence still is one."""
        return self


def recalled(pattern: str, values: Mapping[str, Any]) -> Sentence:
    """A sentence that was stored as its pattern and values.

    Where a later version says it otherwise, it reads as it was said then.
    """
    return Sentence(pattern, **values)
