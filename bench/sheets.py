"""A vaccination card of 25 doses as PDF, beside an empty page by the same library, in turns."""

import argparse
import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import typst

from coravet.adapters.pdf.writer import TypstWriter
from coravet.core.records.sheets import PatientOnSheet, Professional, ShownImmunization, Stamp, VaccinationCard

AT = datetime(2026, 3, 1, 15, tzinfo=UTC)


def card(number: int) -> tuple[VaccinationCard, Stamp]:
    """A card unlike any other, so that Typst finds nothing that it laid out before."""
    doses = [
        ShownImmunization(
            given_on=date(2026, 1, 1 + each),
            vaccine=f"Séxtuple canina {number}",
            manufacturer="Laboratorio de prueba",
            lot_number=f"L-{number}-{each}",
            lot_expires_on=date(2027, 1, 1),
            vet=Professional("Vet de prueba", "1006-2019-0000001"),
            next_due_on=date(2027, 1, 1 + each),
        )
        for each in range(25)
    ]
    patient = PatientOnSheet(name=f"Firulais {number}", species="dog", owner="Zoila Quimbiurco")
    address = f"https://clinica.example/portal/documents/{number:024}"
    return (
        VaccinationCard(clinic="Clínica de prueba", patient=patient, immunizations=doses),
        Stamp(number, AT, AT.date(), address),
    )


async def measure(count: int) -> tuple[float, float, int]:
    """Milliseconds for a card and for an empty page, each the median, and a card's size in bytes."""
    cards, pages, size = [], [], 0
    writer = TypstWriter()
    with TemporaryDirectory() as folder:
        page = Path(folder) / "page.typ"
        page.write_text('#set page(paper: "a4")\n#sys.inputs.number')
        empty = typst.Compiler(page, root=folder, font_paths=typst.Fonts(include_system_fonts=False))
        for number in range(count + 1):
            sheet, stamp = card(number + 1)
            began = perf_counter()
            size = len(await writer.write(sheet, stamp))
            between = perf_counter()
            await asyncio.to_thread(empty.compile, format="pdf", sys_inputs={"number": str(number)})
            cards.append(between - began)
            pages.append(perf_counter() - between)
    writer.close()
    return 1000 * median(cards[1:]), 1000 * median(pages[1:]), size  # the first ones load fonts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sheets", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    count = parser.parse_args().count
    card_ms, page_ms, size = asyncio.run(measure(count))
    print(
        f"A card of 25 doses with its QR code: {card_ms:.1f} ms and {size / 1024:.0f} KB, median of {count}."
        f" An empty page: {page_ms:.1f} ms.\ncard/page: {card_ms / page_ms:.1f}"
    )


if __name__ == "__main__":
    main()
