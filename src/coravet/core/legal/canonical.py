"""The one form in which a legal text is kept, hashed and shown.

Two texts that a reader cannot tell apart must not differ in their hashes, and one hash must not stand for words that
depend on who reads them. So: UTF-8 in NFC, lines ended by LF and the last one by exactly one, no byte-order mark, no
character that is not seen, no white space but single newlines and spaces within a line, nothing to be filled in, no
raw HTML, and one title at the top. The hash is plain SHA-256 of these bytes: `sha256sum` on the file agrees.
"""

import re
import unicodedata
from collections.abc import Iterator
from hashlib import sha256

import msgspec

TITLE = "# "


class Fault(msgspec.Struct, frozen=True, order=True):
    """What keeps a text from being canonical, and where.

    Attributes:
        line: from 1; lines end at LF alone.
        column: from 1, in characters; a byte that is no UTF-8 counts as one.
        code: stable, for machines.
        detail: what is wrong and what to do, in a sentence for whoever wrote the text.
    """

    line: int
    column: int
    code: str
    detail: str


_BYTE_ORDER_MARK = "\ufeff"
_UNUSUAL = re.compile(r"[^\n -~]")
"""Of ASCII only what is seen, the space and LF pass unlooked at."""

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = re.compile(
    # What Unicode calls default-ignorable without the category of format characters (Cf), and the blank of Braille.
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_CONTROLS = {
    "\x00": "NULL",
    "\x08": "BACKSPACE",
    "\t": "TAB",
    "\x0b": "LINE TABULATION",
    "\x0c": "FORM FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}
"""Names of the likelier control characters, to which Unicode gives none."""

_BLANK = re.compile(
    r"""
      \$?\{+[^{}\n]*\}+ | [{}]            # {{ name }}, {% if %}, ${name}, {name}: these texts need no braces at all
    | <%[^\n]*?%> | <% | %>
    | \[+[^\[\]\n]*\]+(?!\() | \[\[ | \]\] # [[name]], [NAME]; a link, [words](address), is none
    | %\(\w+\)[a-z] | %\w+%
    | \$[^\W\d]\w*                        # $name; $5 is money
    | _{3,}                               # a line to be filled in by hand
    """,
    re.VERBOSE,
)
_NOT_AS_WRITTEN = [
    (
        "template_variable",
        _BLANK,
        "is something to be filled in; write the words themselves, since what is hashed is what people agree to.",
    ),
    (
        "html",
        re.compile(r"<[A-Za-z/!?][^\s>]*"),
        "begins HTML or a comment, which is not shown as it is written; use Markdown, and write an address plainly.",
    ),
    ("image", re.compile(r"!\[[^\]\n]*\]\("), "begins an image, which the hash says nothing of; tell it in words."),
]
"""What a reader is not shown as it stands here: its code, its form, and why it is refused."""


def faults(data: bytes) -> list[Fault]:
    """Everything that keeps the bytes from being canonical, in their order; nothing where they are."""
    # Each byte that is no UTF-8 becomes a lone surrogate, which valid UTF-8 cannot yield: nothing is lost of the rest.
    text = data.decode("utf-8", "surrogateescape")
    return sorted([*_of_lines(text), *_of_ends(text), *_of_titles(text)])


def digest(data: bytes) -> str:
    """SHA-256 of the bytes, hexadecimal, as `sha256sum` prints it."""
    return sha256(data).hexdigest()


def title_of(text: str) -> str:
    """The first heading of the first level, without its mark; empty where there is none."""
    return next((line.removeprefix(TITLE).strip() for line in text.split("\n") if line.startswith(TITLE)), "")


def _of_lines(text: str) -> Iterator[Fault]:
    for number, line in enumerate(text.split("\n"), 1):
        for found in _UNUSUAL.finditer(line):
            fault = _of_character(found[0])
            if number == 1 and found.start() == 0 and found[0] == _BYTE_ORDER_MARK:
                fault = "byte_order_mark", "The file begins with a byte-order mark (U+FEFF); save it as UTF-8 without."
            if fault is not None and not _goes_on(line, found.start()):
                yield Fault(number, found.start() + 1, *fault)
        for column, composed in _decomposed(line):
            yield Fault(
                number,
                column,
                "not_nfc",
                f"{_named(line[column - 1])} is not in Unicode's form NFC, where {composed!r} is "
                f"{' '.join(f'U+{ord(each):04X}' for each in composed)}; save the text in NFC.",
            )
        visible = line.rstrip("\r")
        if visible != visible.rstrip():
            yield Fault(
                number, len(visible.rstrip()) + 1, "trailing_space", "White space at the end of the line; delete it."
            )
        for code, pattern, why in _NOT_AS_WRITTEN:
            for found in pattern.finditer(line):
                yield Fault(number, found.start() + 1, code, f"{_quoted(found[0])} {why}")


def _of_character(character: str) -> tuple[str, str] | None:
    """Code and sentence where the character has no place in a text."""
    name = _named(character)
    fault: tuple[str, str] | None = None
    match unicodedata.category(character):
        case "Cs":
            fault = "invalid_utf8", f"Byte 0x{ord(character) - 0xDC00:02X} is not UTF-8; save the file as UTF-8."
        case "Cc" if character == "\r":
            fault = "carriage_return", f"The line has a {name}; end lines by LF alone."
        case "Cc":
            fault = "control_character", f"{name} is a control character; delete it, or write spaces for a tab."
        case "Cf" if character in _BIDIRECTIONAL:
            fault = "bidirectional", f"{name} changes the direction in which text is shown; delete it."
        case category if category == "Cf" or _UNSEEN.match(character):
            fault = "invisible", f"{name} cannot be seen; delete it."
        case "Zs" | "Zl" | "Zp":
            fault = "unusual_space", f"{name} looks like an ordinary space or newline and is none; write one of these."
        case category if category in {"Co", "Cn"} or character == "\ufffd":
            fault = "unknown_character", f"{name} is shown differently everywhere or not at all; write another one."
    return fault


def _goes_on(line: str, at: int) -> bool:
    """Whether the byte that is no UTF-8 follows another: a run of them is one fault."""
    return at > 0 and all(unicodedata.category(each) == "Cs" for each in line[at - 1 : at + 1])


def _decomposed(line: str) -> Iterator[tuple[int, str]]:
    """Columns at which something begins that NFC writes otherwise, and how."""
    if unicodedata.is_normalized("NFC", line):
        return
    start = 0
    for at in range(1, len(line) + 1):
        if at < len(line) and unicodedata.combining(line[at]):
            continue
        piece = line[start:at]
        # Parts of a Hangul syllable, among others, join although they are no combining marks.
        if at < len(line) and _nfc(piece + line[at]) != _nfc(piece) + _nfc(line[at]):
            continue
        if _nfc(piece) != piece:
            yield start + 1, _nfc(piece)
        start = at


def _of_ends(text: str) -> Iterator[Fault]:
    lines = text.split("\n")
    if lines[-1] or len(lines) == 1:
        yield Fault(
            len(lines), len(lines[-1]) + 1, "no_final_newline", "The last line lacks its newline; end it by one LF."
        )
    elif text.endswith("\n\n"):
        last = len(text.rstrip("\n").split("\n"))
        yield Fault(last + 1, 1, "extra_final_newline", "Empty lines at the end; end the text by one LF alone.")


def _of_titles(text: str) -> Iterator[Fault]:
    lines = text.removeprefix(_BYTE_ORDER_MARK).split("\n")
    titles = [n for n, line in enumerate(lines, 1) if line.startswith(TITLE) and line.removeprefix(TITLE).strip()]
    if titles[:1] != [1]:
        yield Fault(1, 1, "missing_title", "The text does not begin with its title; write it into line 1, after '# '.")
    for number in titles:
        if number not in {1, titles[0]}:
            yield Fault(number, 1, "second_title", "A second heading of the first level; write it with '## '.")


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '') or _CONTROLS.get(character, 'without a name')}"


def _quoted(words: str) -> str:
    """What was found, shortened and with nothing unseen in it."""
    return repr(words if len(words) <= 40 else f"{words[:40]}...")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
