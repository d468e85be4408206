"""Sheets as PDF by Typst, whose template gets them as data: nothing that people typed is read as markup."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import cast

import msgspec
import segno
import typst

from coravet.adapters.pdf.layout import lay_out
from coravet.core.kernel.errors import Unavailable
from coravet.core.records.sheets import Sheet, Stamp

_HERE = Path(__file__).parent
_MOST_WAITING = 50
"""About a second's work; who comes after them had better come again."""


class TypstWriter:
    """`SheetWriter` with the fonts that Typst carries: Libertinus Serif, and DejaVu Sans Mono for what that lacks.

    Sheets are written one at a time, in a thread of their own: Typst lets go of the interpreter meanwhile, but one
    compiler does not take two at once, and each one more would hold its own memory.
    """

    def __init__(self) -> None:
        fonts = typst.Fonts(include_system_fonts=False)
        self._compiler = typst.Compiler(_HERE / "sheets.typ", root=_HERE, font_paths=fonts)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sheets")
        self._waiting = 0

    async def write(self, sheet: Sheet, stamp: Stamp) -> bytes:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("Too much is going on at this moment. Try again.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._written, sheet, stamp)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Write nothing more. What is being written is finished."""
        self._thread.shutdown(cancel_futures=True)

    def _written(self, sheet: Sheet, stamp: Stamp) -> bytes:
        laid_out = lay_out(sheet, stamp, _qr(stamp.address))
        written = self._compiler.compile(
            format="pdf",
            sys_inputs={"sheet": msgspec.json.encode(laid_out).decode()},
            timestamp=int(stamp.issued_at.timestamp()),
        )
        return cast("bytes", written)  # only pictures come in several parts


def _qr(address: str) -> str:
    """A QR code as SVG, with the quiet zone that readers need; a quarter of it may be lost (level Q)."""
    drawn = BytesIO()
    segno.make(address, error="q", micro=False).save(drawn, kind="svg", xmldecl=False)
    return drawn.getvalue().decode()
