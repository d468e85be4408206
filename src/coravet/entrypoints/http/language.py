"""The language of a reader: which of ours they prefer, and sentences in it."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec
from litestar.datastructures import Headers

from coravet.core.kernel.sentences import Sentence
from coravet.entrypoints.http.spanish import SENTENCES, WORDS

T = TypeVar("T")

Language = Literal["es", "en"]

_RANGE = re.compile(r"\s*(?P<tag>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]\s*=\s*(?P<q>[^\s;,]+)\s*)?")
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_DECIMAL = re.compile(r"[+-]?\d+\.\d+")
"""A number that Spanish writes with a comma."""
_ENGLISH = {"checked_in": "in the waiting room", "in_exam": "being examined", "no_show": "marked as a no-show"}
_MOST = 4096  # characters of a header that are read; a browser sends about fifty


def language_of(headers: Headers) -> Language:
    """The language that a request prefers, whose headers these are."""
    return preferred(",".join(headers.getall("accept-language", []))[:_MOST])


@lru_cache(maxsize=256)
def preferred(header: str) -> Language:
    """The language that an Accept-Language (RFC 9110, 12.5.4) prefers: the first of the highest weight.

    Spanish where it names neither of ours or cannot be read: the service is spoken of in Spanish first.
    """
    weights: dict[str, float] = {}
    for tag, weight in _ranges(header):
        weights[tag] = max(weight, weights.get(tag, 0.0))
    anything = weights.pop("*", 0.0)
    spanish, english = weights.get("es", anything), weights.get("en", anything)
    if spanish == english:
        return "en" if english > 0 and next((tag for tag in weights if tag in {"es", "en"}), "es") == "en" else "es"
    return "en" if english > spanish else "es"


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Each language that is named, without its region, and its weight from 0 to 1."""
    for part in header.split(","):
        found = _RANGE.fullmatch(part)
        weight = (found["q"] or "1") if found else ""
        if found and _WEIGHT.fullmatch(weight):
            yield found["tag"].partition("-")[0].lower(), float(weight)


def told(sentence: str, language: Language) -> str:
    """A sentence in that language, as plain text; in English where Spanish has none yet."""
    if not isinstance(sentence, Sentence):
        return SENTENCES.get(sentence, sentence) if language == "es" else sentence
    pattern = SENTENCES.get(sentence.pattern) if language == "es" else sentence.pattern
    if pattern is None:
        return str.__str__(sentence)
    words, either = (WORDS, " o ") if language == "es" else (_ENGLISH, " or ")

    def shown(value: Any) -> Any:
        if isinstance(value, list):
            return either.join(words.get(str(each), str(each)) for each in value)
        if language == "es" and (isinstance(value, float) or (isinstance(value, str) and _DECIMAL.fullmatch(value))):
            return str(value).removesuffix(".0").replace(".", ",")
        return words.get(value, value) if isinstance(value, str) else value

    return pattern.format_map({name: shown(value) for name, value in sentence.values.items()})


def warnings_told(view: T, language: Language) -> T:
    """What succeeded with its `warnings` in that language; itself where it has none."""
    warnings = getattr(view, "warnings", None)
    if not warnings or not isinstance(view, msgspec.Struct):
        return view
    said = [msgspec.structs.replace(each, detail=told(each.said, language)) for each in warnings]
    return msgspec.structs.replace(view, warnings=said)
