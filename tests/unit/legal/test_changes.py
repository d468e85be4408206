"""Which class of change a new text is at least."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.core.legal.changes import changed_sections, least_class, sections
from coravet.settings import LEGAL

TEXT = """# Aviso

Para quien lo lee.

## 1. Quién responde

La clínica.

## 2. Finalidades

Reservar citas y **recordarlas**.

- Atender
- Cobrar

### 2.1. De los pacientes

Curarlos.

## 3. Destinatarios

Nadie más.

## 4. Transferencias internacionales

Ninguna.

## 5. Derechos

Todos, en 15 días.
"""


@pytest.mark.parametrize(
    ("old", "new", "heading"),
    [
        ("Reservar citas", "Reservar y vender citas", "Finalidades"),
        ("Curarlos.", "Curarlos y venderlos.", "Finalidades"),
        ("- Cobrar\n", "", "Finalidades"),
        ("Nadie más.", "Nadie más, salvo todos.", "Destinatarios"),
        ("Nadie más.", "Nadie, más.", "Destinatarios"),
        ("Ninguna.", "Alguna.", "Transferencias internacionales"),
        ("## 3. Destinatarios\n\nNadie más.\n\n", "", "Destinatarios"),
        ("## 3. Destinatarios", "## 3. Otros", "Destinatarios"),
        ("## 5. Derechos", "## 5. Nuevas finalidades\n\nVender.\n\n## 6. Derechos", "Nuevas finalidades"),
        ("### 2.1. De los pacientes", "## 3. De los pacientes", "Finalidades"),
    ],
)
def test_major(old: str, new: str, heading: str) -> None:
    """What is added to, removed from or changed in purposes, recipients or transfers is major, and its section told."""
    after = TEXT.replace(old, new)

    assert after != TEXT
    for before_after in ((TEXT, after), (after, TEXT)):
        assert least_class(*before_after) == "major"
        assert heading in changed_sections(*before_after)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## 5. Derechos", "## 5. Plazos\n\nLargos.\n\n## 6. Derechos"),
        ("## 5. Derechos\n\nTodos, en 15 días.\n", ""),
    ],
)
def test_minor(old: str, new: str) -> None:
    """A section that came or went elsewhere is at least told."""
    assert least_class(TEXT, TEXT.replace(old, new)) == "minor"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("La clínica.", "La clinica."),
        ("Reservar citas y **recordarlas**.", "Reservar\ncitas y\n*recordarlas*."),
        ("## 2. Finalidades", "## II) FINALIDADES"),
        ("## 3. Destinatarios", "## Artículo 3. Destinatarios"),
        ("- Atender\n- Cobrar", "* Atender\n* Cobrar"),
        ("### 2.1. De los pacientes", "### a) De los pacientes"),
    ],
)
def test_editorial(old: str, new: str) -> None:
    """Layout and numbering change nothing, and the weight of other words a machine cannot know."""
    assert least_class(TEXT, TEXT.replace(old, new)) == "editorial"
    assert not changed_sections(TEXT, TEXT.replace(old, new))


def test_moved() -> None:
    """A section that stands elsewhere, with another number, says what it said."""
    transfers = "## 4. Transferencias internacionales\n\nNinguna.\n\n"
    after = TEXT.replace(transfers, "").replace("## 1.", transfers.replace("4.", "1.") + "## 2.")

    assert least_class(TEXT, after) == "editorial"


@pytest.mark.parametrize(
    ("heading", "subjects"),
    [
        ("## 3. Finalidades y bases legales", {"purposes"}),
        ("## FINALIDAD", {"purposes"}),
        ("### iv) Propósitos", {"purposes"}),
        ("## ¿Para qué usamos sus datos?", {"purposes"}),
        ("## Purposes of the processing", {"purposes"}),
        ("## 7. Subencargados y otros destinatarios", {"recipients"}),
        ("## Sub-processors", {"recipients"}),
        ("###### Article 9: Recipients and international transfers", {"recipients", "transfers"}),
        ("## Transferencia internacional", {"transfers"}),
        ("## 2. Quién responde", set()),
        ("## Portabilidad", set()),
    ],
)
def test_headings(heading: str, subjects: set[str]) -> None:
    """Sections are known by their headings, in Spanish and English and however they are numbered."""
    (section,) = sections(f"# T\n\n{heading}\n\nUno.\n")

    assert section.subjects == subjects


@given(st.sampled_from(["2. Finalidades", "3. Destinatarios", "4. Transferencias internacionales"]), st.data())
def test_any_word(heading: str, data: st.DataObject) -> None:
    """Any word that comes into one of these sections makes the change major."""
    start = TEXT.index(heading) + len(heading)
    end = TEXT.find("\n## ", start)
    places = [at for at in range(start, end) if TEXT[at] in " \n" and TEXT[at + 1 : at + 2] not in {"#", "-", "\n"}]
    at = data.draw(st.sampled_from(places)) + 1

    assert least_class(TEXT, f"{TEXT[:at]}no {TEXT[at:]}") == "major"


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_texts(before: str, after: str) -> None:
    """Any two texts are answered, alike in both directions, and no text differs from itself."""
    assert least_class(before, before) == "editorial"
    assert least_class(before, after) == least_class(after, before)


@pytest.mark.parametrize("path", sorted(LEGAL.glob("*/*.md")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_shipped(path: Path) -> None:
    """Each text about people's data has sections on all three subjects, so that a change of them is seen."""
    subjects = {subject for section in sections(path.read_text("utf-8")) for subject in section.subjects}

    assert subjects == (set() if path.parent.name == "terms" else {"purposes", "recipients", "transfers"})
