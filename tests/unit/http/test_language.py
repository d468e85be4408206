"""Which language a reader is told things in, and that what is told is the same in both."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import Sentence
from coravet.entrypoints.http.bodies import wording
from coravet.entrypoints.http.language import preferred, told


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "es"),
        ("es", "es"),
        ("es-EC", "es"),
        ("ES-419", "es"),
        ("en", "en"),
        ("EN-us", "en"),
        ("en-GB-oxendict", "en"),
        ("fr", "es"),
        ("fr-FR, de;q=0.9", "es"),
        ("*", "es"),
        ("fr, en;q=0.1", "en"),
        ("en;q=0.8, es;q=0.9", "es"),
        ("es;q=0.8, en;q=0.9", "en"),
        ("en, es", "en"),
        ("es, en", "es"),
        ("fr, en;q=0.5, es;q=0.5", "en"),
        ("es-EC,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es-EC;q=0.8", "en"),
        ("es;q=0.2, en;q=0.5, es-EC", "es"),
        ("es-EC, es;q=0.2, en;q=0.5", "es"),
        ("es;q=0, en;q=0.001", "en"),
        ("es;q=0, *", "en"),
        ("en;q=0, *", "es"),
        ("en;q=0.5, *", "es"),
        ("en;q=0, es;q=0", "es"),
        (" en ; q = 1.000 ", "en"),
        ("en;q=2, es;q=0.1", "es"),
        ("en;q=abc", "es"),
        ("en;q=", "es"),
        ("en;level=1", "es"),
        ("english", "es"),
        ("e n", "es"),
        (",,;q=1,", "es"),
        ("\x00en", "es"),
        ("e" * 5000 + ", en", "en"),
    ],
)
def test_preferred(header: str, language: str) -> None:
    """The one of ours with the highest weight, of equal ones the first; Spanish where neither is named."""
    assert preferred(header) == language


@given(st.text() | st.lists(st.sampled_from(["en", "es", "*", "-EC", ";q=", "0.5", "1", ",", " ", "q"])).map("".join))
def test_any_header(header: str) -> None:
    """No header is more than can be read."""
    assert preferred(header) in {"es", "en"}


def test_told() -> None:
    """A sentence says the same in both languages, its values included; words of ours are translated."""
    days = Sentence("Ask for at most {most} days at once.", most=92)
    assert told(days, "en") == "Ask for at most 92 days at once."
    assert told(days, "es") == "Consulte como máximo 92 días a la vez."
    step = Sentence(
        "This visit is {status}; {step} is possible while it is {allowed}.",
        status="checked_in",
        step="cancel",
        allowed=["confirmed", "requested"],
    )
    assert (
        told(step, "en") == "This visit is in the waiting room; cancel is possible while it is confirmed or requested."
    )
    assert told(step, "es") == (
        "Esta cita está en sala de espera; ese paso solo es posible cuando está confirmada o solicitada."
    )
    assert told("Not found", "es") == "No encontrado"


@pytest.mark.parametrize("sentence", ["{not} a pattern", Sentence("nobody translated {this}", this="yet")])
def test_untold(sentence: str) -> None:
    """What has no Spanish is told in English, whatever it holds."""
    assert told(sentence, "es") == str.__str__(sentence)


def test_field() -> None:
    """A field's error is plain text to whoever writes it, and remembers what it was made of."""
    error = FieldError("/to", "too_long", Sentence("Ask for at most {most} days at once.", most=92))
    assert msgspec.json.decode(msgspec.json.encode(error)) == {
        "pointer": "/to",
        "code": "too_long",
        "detail": "Ask for at most 92 days at once.",
    }
    assert type(error.detail) is str
    assert told(error.said, "es") == "Consulte como máximo 92 días a la vez."
    read = msgspec.json.decode(msgspec.json.encode(error), type=FieldError)
    assert (read, read.said) == (error, error.detail)


@pytest.mark.parametrize(
    ("message", "code", "english", "spanish"),
    [
        ("Expected `str`, got `int`", "wrong_type", "Write a text here.", "Escriba aquí un texto."),
        ("Expected `int | null`, got `str`", "wrong_type", None, "Escriba aquí un número entero, en cifras."),
        ("Expected `frozenset`, got `str`", "wrong_type", None, "Este campo necesita otro tipo de valor."),
        ("Expected `str` of length >= 1", "too_short", "It cannot be blank.", "No puede quedar en blanco."),
        ("Expected `str` of length >= 10", "too_short", None, "Escriba más: mínimo de caracteres: 10."),
        ("Expected `str` of length <= 80", "too_long", None, "Escriba menos: máximo de caracteres: 80."),
        ("Expected `array` of length <= 50", "too_long", "Name at most 50.", "Indique como máximo 50."),
        ("Expected `int` >= 5", "too_small", "The least is 5.", "El valor mínimo es 5."),
        ("Expected `int` <= 1440", "too_large", "The most is 1440.", "El valor máximo es 1440."),
        ("Expected `float` >= 0.5", "too_small", "The least is 0.5.", "El valor mínimo es 0,5."),
        ("Expected `str` matching regex '^>=$'", "malformed", None, "No tiene el formato que este campo necesita."),
        ("Invalid enum value 'x <= 3'", "not_allowed", None, "No está entre los valores que este campo admite."),
        ("Invalid UUID", "malformed", None, "Elija uno que exista: aquí va su identificador."),
        ("Invalid RFC3339 encoded date", "malformed", None, "Escriba aquí una fecha, como 2026-03-14."),
        ("Invalid RFC3339 encoded datetime", "malformed", None, None),
        ("Expected `datetime` with a timezone component", "needs_offset", None, None),
        ("Integer value out of range", "invalid", None, "Este campo no admite este valor."),
    ],
)
def test_wording(message: str, code: str, english: str | None, spanish: str | None) -> None:
    """What msgspec says in a programmer's words is said in a receptionist's, its numbers kept."""
    found, sentence = wording(message)
    assert found == code
    assert told(sentence, "es") != told(sentence, "en")
    for expected, language in ((english, "en"), (spanish, "es")):
        text: Any = told(sentence, language)  # type: ignore[arg-type] -- a literal of the line above
        assert "`" not in text
        assert expected in {None, text}
