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
        # tells of who made it, where and when, or shows it as it was before
        *("/Metadata", "/PieceInfo", "/LastModified", "/SpiderInfo", "/Info", "/CreatorInfo", "/Thumb"),
    }
)
"""Names of entries that are left out wherever they stand (ISO 32000-2: 12.6, 7.11.4, 14.3, 14.5)."""

_OF_TRAILER = frozenset({"/Root", "/Size", "/ID", "/Encrypt", "/Prev", "/XRefStm", "/Type", "/W", "/Index", "/Filter"})
_OF_ROOT = frozenset(
    {
        *(
            "/Type",
            "/Version",
            "/Extensions",
            "/Pages",
            "/PageLabels",
            "/PageLayout",
            "/PageMode",
            "/ViewerPreferences",
        ),
        *("/Names", "/Dests", "/Outlines", "/AcroForm", "/StructTreeRoot", "/MarkInfo", "/Lang", "/OutputIntents"),
        "/OCProperties",
    }
)
"""What a document says of itself beside its pages, and is kept; anybody may have invented more."""

_HARMLESS = frozenset({"/URI", "/GoTo", "/Named"})
"""Actions that lead a reader who clicks to a page or an address; all others run, send or open something."""

_LINK = re.compile(r"(https?|mailto|tel):", re.IGNORECASE)

_EMBEDDING = frozenset({"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"})
"""Annotations that are files or play them."""

_ELSEWHERE = ("/F", "/UF", "/DOS", "/Mac", "/Unix", "/FFilter", "/FDecodeParms")
"""Where a stream or a file lies that is not in the document."""

_DCT = frozenset({"/DCTDecode", "/DCT"})
_PADDING = b"\0\t\n\r\f "
"""What printers pad a file with."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def clean(data: bytes) -> bytes:
    """A PDF that shows the same pages and does nothing.

    Raises:
        NotAttachable, PdfDamaged, PdfLocked, PdfTooLarge: as `Converter` says.
    """
    if not data.startswith(PDF_SIGN):
        raise NotAttachable
    if b"%%EOF" not in data.rstrip(_PADDING)[-1024:]:
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
        raise (PdfTooLarge if "alloc" in str(error) or "memory" in str(error) else PdfDamaged) from error


def _written(pdf: pikepdf.Pdf) -> bytes:
    pages = len(pdf.pages)
    if pages > MOST_PAGES:
        raise PdfTooLarge
    if not pages:
        raise PdfDamaged
    _only(pdf.trailer, _OF_TRAILER)
    _only(pdf.Root, _OF_ROOT)
    if "/Names" in pdf.Root:
        _only(pdf.Root.Names, frozenset({"/Dests"}))
    for each in pdf.objects:
        _stripped(each)
    file = BytesIO()
    # The same file has the same name in the store however often it is sent.
    pdf.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return file.getvalue()


def _only(each: Any, kept: frozenset[str]) -> None:
    for key in [*each.keys()]:
        if key not in kept:
            del each[key]


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
    kind = str(each.get("/Type", ""))
    for key in [*each.keys()]:
        acts = key in {"/A", "/Next", "/PA"} and _acts(each[key])
        signed = key in {"/V", "/DV"} and _is(each[key], "/Sig", "/DocTimeStamp")  # it would hold no longer
        away = key in _ELSEWHERE and (kind == "/Filespec" or isinstance(each, pikepdf.Stream))
        author = key == "/T" and "/Subtype" in each and str(each["/Subtype"]) != "/Widget" and "/Rect" in each
        if key in _DROPPED or acts or signed or away or author:
            del each[key]


def _is(value: Any, *kinds: str) -> bool:
    return isinstance(value, Dictionary) and str(value.get("/Type", "")) in kinds


def _acts(value: Any) -> bool:
    """Whether it is an action, or a list of them, that is not harmless."""
    if isinstance(value, pikepdf.Array):
        return any(_acts(item) for item in value)
    if not isinstance(value, Dictionary) or "/S" not in value:
        return False
    kind = str(value["/S"])
    return kind not in _HARMLESS or (kind == "/URI" and not _LINK.match(str(value.get("/URI", ""))))


def _silent(stream: Any) -> None:
    """A photograph in a page without what the camera wrote into it."""
    filters = stream.get("/Filter")
    names = [str(name) for name in ([filters] if isinstance(filters, Name) else filters or [])]
    if names == ["/JPXDecode"]:
        stream.write(b"".join(_boxes(stream.read_raw_bytes())), filter=Name.JPXDecode)
    elif _DCT.intersection(names):
        bare = _bare(stream.read_raw_bytes()) if names == ["/DCTDecode"] else None
        if bare is None:  # packed, or odd: its pixels are all that is kept
            stream.write(stream.read_bytes(pikepdf.StreamDecodeLevel.all))
        else:
            stream.write(bare, filter=Name.DCTDecode, decode_parms=stream.get("/DecodeParms"))


def _bare(jpeg: bytes) -> bytes | None:
    """A JPEG without its notes, and without what follows its end; None where it is not put together as one is."""
    kept, at = [b"\xff\xd8"], 2
    while jpeg.startswith(b"\xff", at):
        while jpeg.startswith(b"\xff\xff", at):
            at += 1
        marker = jpeg[at + 1] if at + 1 < len(jpeg) else 0
        if marker == 0xD9:
            return b"".join([*kept, b"\xff\xd9"])
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        segment = jpeg[at:end]
        if len(segment) < 4 or end > len(jpeg):
            return None
        if marker == 0xE0 and segment[4:9] == b"JFIF\0" and len(segment) >= 18:
            kept.append(b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0")  # its own small picture goes
        elif _shows(marker, segment):
            kept.append(segment)
        at = end
        if marker == 0xDA:
            found = _MARKER.search(jpeg, at)
            if found is None:
                return None
            kept.append(jpeg[at : found.start()])
            at = found.start()
    return None


def _shows(marker: int, segment: bytes) -> bool:
    """Whether a segment is needed to show a JPEG as it is meant: its tables, its profile, Adobe's colour transform."""
    if 0xE0 <= marker <= 0xEF:
        profile = marker == 0xE2 and segment[4:].startswith(b"ICC_PROFILE\0")
        return profile or (marker == 0xEE and segment[4:].startswith(b"Adobe"))
    return marker != 0xFE


def _boxes(jp2: bytes) -> Iterator[bytes]:
    """A JPEG 2000 without its boxes of notes (ISO 15444-1, I.7); a bare codestream has none."""
    at = 0
    while at + 8 <= len(jp2) and not jp2.startswith(b"\xff\x4f"):
        size, kind = int.from_bytes(jp2[at : at + 4], "big"), jp2[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(jp2[at + 8 : at + 16], "big")
        end = len(jp2) if size == 0 else at + max(size, 8)
        if kind in {b"jP  ", b"ftyp", b"jp2h", b"jp2c"}:
            yield jp2[at:end]
        at = end
    if jp2.startswith(b"\xff\x4f"):
        yield jp2
