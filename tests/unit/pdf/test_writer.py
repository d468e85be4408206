"""Sheets as PDF: read back, looked at, scanned, and with whatever people type."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pypdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coravet.adapters.pdf.writer import TypstWriter
from coravet.core.kernel.errors import Unavailable
from coravet.core.records.sheets import (
    PatientOnSheet,
    PrescriptionSheet,
    Professional,
    Sheet,
    ShownAddendum,
    ShownDeworming,
    ShownImmunization,
    ShownNote,
    ShownPrescription,
    ShownProblem,
    ShownVital,
    Stamp,
    VaccinationCard,
    VisitSummary,
)

VET = Professional("Dra. Vet de Prueba", "1006-2019-0000001")
STAMP = Stamp(
    17, datetime(2026, 3, 1, 4, tzinfo=UTC), date(2026, 2, 28), "https://clinica.example/portal/documents/Ab-_9"
)
ANIMAL = PatientOnSheet(
    name="Ñandú Güero",
    species="dog",
    breed="Mestizo",
    sex="female",
    birth_date=date(2020, 5, 1),
    birth_date_precision="month",
    microchip="900123456789012",
    owner="Zoila Peña",
)
DRUG = ShownPrescription(
    drug="Amoxicilina",
    strength="250 mg",
    dose=Decimal("1.500"),
    unit="tabletas",
    route="oral",
    frequency_hours=12,
    duration_days=1,
    quantity=Decimal("21.000"),
    quantity_unit="tabletas",
    instructions="Con comida.\nNo suspender antes.",
)


def _dose(number: int) -> ShownImmunization:
    return ShownImmunization(
        given_on=date(2026, 1, 12),
        vaccine="Séxtuple canina",
        manufacturer="Laboratorio de Prueba",
        lot_number=f"LOTE-{number}",
        vet=VET,
        next_due_on=date(2027, 1, 12),
    )


def _card(name: str = "Ñandú Güero", doses: int = 2) -> VaccinationCard:
    return VaccinationCard(
        clinic="Clínica de Prueba",
        patient=PatientOnSheet(name=name, species="cat"),
        immunizations=[_dose(number) for number in range(doses)],
        dewormings=[
            ShownDeworming(
                given_on=date(2025, 7, 2),
                product="Antiparasitario",
                target="internal",
                vet=Professional("Otra clínica de prueba"),
                source="external",
            )
        ],
    )


SUMMARY = VisitSummary(
    clinic="Clínica de Prueba",
    patient=ANIMAL,
    vet=VET,
    visited_on=date(2026, 2, 27),
    signed_on=date(2026, 2, 28),
    reason="Tos",
    vitals=[
        ShownVital("weight_kg", "12.300"),
        ShownVital("temperature_c", "38.5"),
        ShownVital("mucous_membranes", "pale"),
        ShownVital("heart_rate", "100"),
    ],
    note=ShownNote(subjective="Tose de noche.", objective="Mucosas rosadas.", assessment="Bronquitis.", plan="Reposo."),
    problems=[ShownProblem("Bronquitis crónica", "active", "suspected"), ShownProblem("Otitis", "active", "confirmed")],
    immunizations=[_dose(1)],
    prescriptions=[DRUG],
    addenda=[ShownAddendum(date(2026, 3, 1), VET, "Resultado de laboratorio: normal.")],
)
PRESCRIPTION = PrescriptionSheet(
    clinic="Clínica de Prueba",
    patient=ANIMAL,
    vet=VET,
    prescribed_on=date(2026, 2, 27),
    valid_until=date(2026, 3, 27),
    drugs=[DRUG],
)


@pytest.fixture(scope="module")
async def writer() -> AsyncIterator[TypstWriter]:
    """One writer, as a process has it."""
    made = TypstWriter()
    yield made
    made.close()


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages).replace("\u200b", "")


def _scanned(pdf: bytes) -> str:
    """What a camera reads on the first page."""
    [code] = zxingcpp.read_barcodes(pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil())
    return str(code.text)


async def test_card(writer: TypstWriter) -> None:
    """A card shows clinic, patient, every dose with who gave it under which number, and where it was given."""
    shown = _text(await writer.write(_card(), STAMP))
    for part in (
        "Clínica de Prueba", "Carné de vacunación", "N.º 17, emitido el 28/02/2026", "Ñandú Güero", "Gato",
        "12/01/2026", "Séxtuple canina", "LOTE-0", "LOTE-1", "Dra. Vet de Prueba", "Reg. 1006-2019-0000001",
        "12/01/2027", "Antiparasitario", "Interna", "Otra clínica de", "En otro lugar", "Página 1 de 1",
    ):  # fmt: skip
        assert part in shown


async def test_prescription(writer: TypstWriter) -> None:
    """A prescription says what to give and how, in the owner's words, and who signs it."""
    shown = _text(await writer.write(PRESCRIPTION, STAMP))
    for part in (
        "Receta veterinaria", "Amoxicilina 250 mg", "1,5 tabletas, por vía oral, cada 12 horas, durante 1 día",
        "21 tabletas",
        "Con comida.", "No suspender antes.", "Zoila Peña", "900123456789012", "05/2020", "27/03/2026",
        "Registro profesional 1006-2019-0000001",
    ):  # fmt: skip
        assert part in shown


async def test_summary(writer: TypstWriter) -> None:
    """A summary tells the whole visit, with what was added after signing."""
    shown = _text(await writer.write(SUMMARY, STAMP))
    for part in (
        "Resumen de la consulta", "Tos", "Peso", "12,3 kg", "38,5 °C", "pálidas", "100 lpm", "Tose de noche.",
        "Mucosas rosadas.", "Reposo.", "Bronquitis crónica (sospecha)", "• Otitis\n", "LOTE-1",
        "Receta: Amoxicilina 250 mg", "Adenda del 01/03/2026", "Resultado de laboratorio: normal.",
    ):  # fmt: skip
        assert part in shown


@pytest.mark.parametrize("sheet", [_card(), PRESCRIPTION, SUMMARY], ids=["card", "prescription", "visit_summary"])
async def test_file(sheet: Sheet, writer: TypstWriter) -> None:
    """A PDF is A4, names its title and language, is tagged, carries a subset of each font, and its code can be read."""
    pdf = await writer.write(sheet, STAMP)
    read = pypdf.PdfReader(BytesIO(pdf))
    root = read.trailer["/Root"]
    assert read.metadata is not None
    assert str(read.metadata.title).endswith("N.º 17")
    assert root["/Lang"] == "es-EC"
    assert root["/MarkInfo"]["/Marked"]
    for page in read.pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        for font in page["/Resources"]["/Font"].values():
            [below] = font.get_object()["/DescendantFonts"]
            description = below.get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(description)
            assert description["/FontName"][7:8] == "+", "a subset has a mark of six letters before its name"
    assert _scanned(pdf) == STAMP.address
    assert await writer.write(sheet, STAMP) == pdf


async def test_pages(writer: TypstWriter) -> None:
    """What is long goes on over pages, which are numbered, with the table's head on each; nothing is lost."""
    pages = [page.extract_text() for page in pypdf.PdfReader(BytesIO(await writer.write(_card(doses=90), STAMP))).pages]
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"Página {number} de {len(pages)}" in page
    assert all("Fabricante" in page for page in pages[:-1])
    everything = "\n".join(pages)
    assert re.findall(r"LOTE-(\d+)", everything) == [str(number) for number in range(90)]


async def test_long_note(writer: TypstWriter) -> None:
    """A note of many pages is shown to its end."""
    note = ShownNote(plan="Reposo absoluto. " * 2000 + "Fin del plan.")
    sheet = VisitSummary(
        clinic="C", patient=ANIMAL, vet=VET, visited_on=date(2026, 1, 1), signed_on=date(2026, 1, 1), note=note
    )
    assert "Fin del plan." in _text(await writer.write(sheet, STAMP))


@pytest.mark.parametrize(
    "name",
    [
        '#import "x"', "<b>Rex</b>", "$a^2$", "*Rex* _Rex_ `Rex`", "\\u{41} \\ //Rex /* Rex", "#(sys.inputs)", "@Rex",
        "= Rex", "- Rex", "[Rex] {Rex}", "~Rex -- Rex... \"Rex\" 'Rex'", "&amp; &lt;", "%s {0} \\n",
    ],
)  # fmt: skip
async def test_markup(name: str, writer: TypstWriter) -> None:
    """What looks like markup is printed as it was typed."""
    assert f"Paciente {name}\n" in _text(await writer.write(_card(name), STAMP))


async def test_letters(writer: TypstWriter) -> None:
    """Letters of other languages are shown; what no font has is an empty box, and no reason to fail."""
    name = "Őrség Șerban Łódź Nguyễn Đà Ελένη Борис ☺"
    assert name in _text(await writer.write(_card(name), STAMP))
    boxes = pypdfium2.PdfDocument(await writer.write(_card("🐶🐶🐶🐶"), STAMP))[0].render(scale=3).to_pil()
    blank = (
        pypdfium2.PdfDocument(await writer.write(_card("\u2003\u2003\u2003\u2003"), STAMP))[0].render(scale=3).to_pil()
    )
    assert sum(boxes.convert("L").histogram()[:64]) > sum(blank.convert("L").histogram()[:64]) + 100


async def test_long_word(writer: TypstWriter) -> None:
    """A word wider than its place is broken, and stays on the page."""
    pdf = await writer.write(_card("W" * 80), STAMP)
    assert "W" * 80 in _text(pdf).replace("\n", "")
    page = pypdfium2.PdfDocument(pdf)[0]
    text = page.get_textpage()
    rights = [text.get_charbox(index)[2] for index in range(text.count_chars())]
    assert max(rights) < page.get_width() - 40


@pytest.mark.parametrize("letters", [12, 15, 22, 23, 30, 39, 79])
@pytest.mark.parametrize("kind", ["card", "prescription", "visit_summary"])
async def test_long_words(kind: str, letters: int, writer: TypstWriter) -> None:
    """Wherever people type, the widest word stays on the page and beside the code, which can be read."""
    word = "W" * letters
    vet, animal = Professional(word, word), PatientOnSheet(name=word, species="dog", breed=word, color=word, owner=word)
    drug = ShownPrescription(
        drug=word, strength=word, unit=word, route="oral", quantity=Decimal(1), quantity_unit=word, instructions=word
    )
    dose = ShownImmunization(given_on=date(2026, 1, 1), vaccine=word, manufacturer=word, lot_number=word, vet=vet)
    worm = ShownDeworming(given_on=date(2026, 1, 1), product=word, target="internal", vet=vet)
    sheets: dict[str, Sheet] = {
        "card": VaccinationCard(clinic=word, patient=animal, immunizations=[dose], dewormings=[worm]),
        "prescription": PrescriptionSheet(
            clinic=word,
            patient=animal,
            vet=vet,
            prescribed_on=date(2026, 1, 1),
            valid_until=date(2026, 2, 1),
            drugs=[drug],
        ),
        "visit_summary": VisitSummary(
            clinic=word,
            patient=animal,
            vet=vet,
            visited_on=date(2026, 1, 1),
            signed_on=date(2026, 1, 1),
            reason=word,
            note=ShownNote(plan=word),
            problems=[ShownProblem(word, "active", "confirmed")],
            immunizations=[dose],
            prescriptions=[drug],
            addenda=[ShownAddendum(date(2026, 1, 1), vet, word)],
        ),
    }
    pdf = await writer.write(sheets[kind], STAMP)
    assert _scanned(pdf) == STAMP.address
    document = pypdfium2.PdfDocument(pdf)
    for number, page in enumerate(document):
        text = page.get_textpage()
        boxes = [text.get_charbox(index) for index in range(text.count_chars())]
        assert max(right for _, _, right, _ in boxes) <= page.get_width() - 48
        if number == 0:  # the code is 29 mm wide, its margin 18, and 16 mm below the page's top
            code = page.get_width() - 47 / 25.4 * 72
            assert not [box for box in boxes if box[2] > code and box[3] > page.get_height() - 44 / 25.4 * 72]
    assert pypdf.PdfReader(BytesIO(pdf)).metadata.author == word


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_anything(text: str) -> None:
    """Whatever is typed, a sheet comes of it, in every place where people type."""
    drug = ShownPrescription(
        drug=text, unit=text, route="other", quantity=Decimal(1), quantity_unit=text, instructions=text
    )
    note = ShownNote(subjective=text)
    sheet = VisitSummary(
        clinic=text,
        patient=PatientOnSheet(name=text, species="dog", breed=text, owner=text),
        vet=Professional(text, text),
        visited_on=date(2026, 1, 1),
        signed_on=date(2026, 1, 1),
        reason=text,
        note=note,
        problems=[ShownProblem(text, "active", "confirmed")],
        prescriptions=[drug],
        immunizations=[ShownImmunization(given_on=date(2026, 1, 1), vaccine=text, lot_number=text)],
    )

    async def written() -> bytes:
        writer = TypstWriter()
        try:
            return await writer.write(sheet, STAMP)
        finally:
            writer.close()

    assert asyncio.run(written()).startswith(b"%PDF-")


async def test_loop_goes_on(writer: TypstWriter) -> None:
    """While a long sheet is written, others are served."""
    writing = asyncio.create_task(writer.write(_card(doses=400), STAMP))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 20


async def test_too_many(writer: TypstWriter) -> None:
    """Who comes while many wait is told to come again; those who wait are served."""
    asked = await asyncio.gather(*(writer.write(_card(), STAMP) for _ in range(52)), return_exceptions=True)
    refused = [answer for answer in asked if isinstance(answer, Unavailable)]
    assert len(refused) == 2
    assert sum(isinstance(answer, bytes) for answer in asked) == 50
