"""PDFs cleaned by qpdf. Only the helper process imports this.

The file is written anew from what its pages lead to: what stands before, behind or between goes, and with it whatever
made it another kind of file besides.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Dictionary, Name

from coravet.core.kernel.errors import DomainError
from coravet.core.media.pdfs import MOST_PAGES, PDF_SIGN, NotAttachable, PdfDamaged, PdfLocked, PdfTooLarge

_DROPPED = frozenset(
    {
        # acts by itself
        *("/AA", "/OpenAction", "/JS", "/JavaScript", "/XFA", "/Requirements"),
        # holds other files
        *("/EmbeddedFiles", "/EF", "/AF", "/Collection", "/RichMediaContent", "/RichMediaSettings"),
        # tells of who made it, where and when
        *("/Metadata", "/PieceInfo", "/LastModified", "/SpiderInfo", "/Info"),
    }
)
"""Names of entries that are left out wherever they stand (ISO 32000-2: 12.6, 7.11.4, 14.3, 14.5)."""

_HARMLESS = frozenset({"/URI", "/GoTo", "/Named"})
"""Actions that lead a reader who clicks to a page or an address; all others run, send or open something."""

_EMBEDDING = frozenset({"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"})
"""Annotations that are files or play them."""

_END = re.compile(rb"%%EOF\s*\Z|%%EOF.{0,1024}\Z", re.DOTALL)
_JPEG_KEPT = {0xE0, 0xE2, 0xEE}
"""Segments of a JPEG that say how to show it: JFIF, its colour profile, Adobe's colour transform."""


def clean(data: bytes) -> bytes:
    """A PDF that shows the same pages and does nothing.

    Raises:
        NotAttachable, PdfDamaged, PdfLocked, PdfTooLarge: as `Converter` says.
    """
    if not data.startswith(PDF_SIGN):
        raise NotAttachable
    if _END.search(data, max(0, len(data) - 2048)) is None:
        raise PdfDamaged  # qpdf would make something of the half that is there
    try:
        with pikepdf.open(BytesIO(data), suppress_warnings=True) as pdf:
            return _written(pdf)
    except DomainError:
        raise
    except pikepdf.PasswordError as error:
        raise PdfLocked from error
    except MemoryError as error:
        raise PdfTooLarge from error
    except Exception as error:  # whatever a broken file makes of it
        raise PdfDamaged from error


def _written(pdf: pikepdf.Pdf) -> bytes:
    pages = len(pdf.pages)
    if pages > MOST_PAGES:
        raise PdfTooLarge
    if not pages:
        raise PdfDamaged
    for entry in ("/Info", "/Metadata"):
        if entry in pdf.trailer:
            del pdf.trailer[entry]
    for each in pdf.objects:
        _stripped(each)
    file = BytesIO()
    # The same file has the same name in the store however often it is sent.
    pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return file.getvalue()


def _stripped(top: Any) -> None:
    """An object and what stands in it, not what it refers to: that has its own turn."""
    waiting = [top]
    while waiting:
        each = waiting.pop()
        if isinstance(each, pikepdf.Array):
            for at in reversed(range(len(each))):
                if _embeds(each[at]):
                    del each[at]
            waiting += [item for item in each if not _refers(item)]
        elif isinstance(each, Dictionary | pikepdf.Stream):
            _without(each)
            waiting += [value for _, value in each.items() if not _refers(value)]
        if isinstance(each, pikepdf.Stream):
            _silent(each)


def _refers(value: Any) -> bool:
    return not isinstance(value, pikepdf.Object) or value.is_indirect


def _embeds(item: Any) -> bool:
    return isinstance(item, Dictionary) and str(item.get("/Subtype", "")) in _EMBEDDING


def _without(each: Any) -> None:
    for key in [*each.keys()]:
        if key in _DROPPED or (key in {"/A", "/Next", "/PA"} and _acts(each[key])):
            del each[key]


def _acts(value: Any) -> bool:
    """Whether it is an action, or a list of them, that is not harmless."""
    if isinstance(value, pikepdf.Array):
        return any(_acts(item) for item in value)
    return isinstance(value, Dictionary) and "/S" in value and str(value["/S"]) not in _HARMLESS


def _silent(stream: Any) -> None:
    """A photograph in a page without what the camera wrote into it."""
    kind = stream.get("/Filter")
    filters = [kind] if isinstance(kind, Name) else list(kind or [])
    if [str(name) for name in filters] == ["/DCTDecode"]:
        raw = stream.read_raw_bytes()
        bare = b"".join(_bare(raw))
        if bare != raw:
            stream.write(bare, filter=Name.DCTDecode, decode_parms=stream.get("/DecodeParms"))


def _bare(jpeg: bytes) -> Iterator[bytes]:
    """A JPEG without its segments of notes, up to where its picture begins; one that is odd as it is."""
    at = 2
    kept = [jpeg[:2]]
    while jpeg[at : at + 1] == b"\xff" and at + 4 <= len(jpeg):
        marker = jpeg[at + 1]
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == 0xDA:
            break
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker in _JPEG_KEPT:
            kept.append(jpeg[at:end])
        at = end
    yield from kept
    yield jpeg[at:]
