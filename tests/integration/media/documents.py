"""PDFs as laboratories, scanners and attackers send them."""

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from tests.integration.media.uploads import SECRET, corners, exif, saved


def pdf(pages: int = 1, **save: Any) -> bytes:
    """A PDF of some pages."""
    made = pikepdf.new()
    for number in range(pages):
        made.add_blank_page(page_size=(200 + number, 100))
    return written(made, **save)


def written(made: pikepdf.Pdf, **save: Any) -> bytes:
    file = BytesIO()
    made.save(file, **save)
    return file.getvalue()


def loaded() -> bytes:
    """A PDF that acts, hides and tells in every way that is known, with two pages that show a photograph."""
    made = pikepdf.new()
    for _ in range(2):
        made.add_blank_page(page_size=(300, 200))
    script = Dictionary(S=Name.JavaScript, JS=String(f"app.alert('{SECRET}')"))
    launch = Dictionary(S=Name.Launch, F=String(f"/bin/{SECRET}"))
    made.Root.OpenAction = script
    made.Root.AA = Dictionary(WC=script)
    made.Root.Names = Dictionary(
        JavaScript=Dictionary(Names=Array([String("run"), made.make_indirect(script)])),
        EmbeddedFiles=Dictionary(
            Names=Array(
                [
                    String("x"),
                    made.make_indirect(
                        Dictionary(
                            Type=Name.Filespec,
                            F=String(SECRET),
                            EF=Dictionary(F=made.make_stream(SECRET.encode() + b" of a file")),
                        )
                    ),
                ]
            )
        ),
    )
    made.Root.AcroForm = Dictionary(Fields=Array([]), XFA=made.make_stream(f"<xfa>{SECRET}</xfa>".encode()))
    made.Root.PieceInfo = Dictionary(App=Dictionary(Private=String(SECRET)))
    made.Root.Metadata = made.make_stream(f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode(), Type=Name.Metadata)
    made.docinfo["/Author"] = SECRET
    made.docinfo["/Title"] = SECRET
    photograph = saved(corners(), "jpeg", exif=exif(), comment=SECRET.encode())
    image = made.make_stream(
        photograph,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=640,
        Height=480,
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
        Metadata=made.make_stream(SECRET.encode()),
    )
    image.stream_dict.Filter = Name.DCTDecode
    made.trailer["/Vendor"] = String(SECRET)
    made.Root.Vendor = Dictionary(Note=String(SECRET))
    signature = Dictionary(Type=Name.Sig, Name=String(SECRET), Location=String(SECRET))
    made.Root.AcroForm.Fields = Array([made.make_indirect(Dictionary(FT=Name.Sig, T=String("f"), V=signature))])
    for page in made.pages:
        page.obj.Thumb = made.make_stream(SECRET.encode())
        page.obj.Resources = Dictionary(XObject=Dictionary(Photo=image))
        page.obj.Contents = made.make_stream(b"q 300 0 0 200 0 0 cm /Photo Do Q")
        page.obj.AA = Dictionary(O=launch)
        page.obj.Metadata = made.make_stream(SECRET.encode())
        page.obj.Annots = Array(
            [
                made.make_indirect(
                    Dictionary(
                        Type=Name.Annot,
                        Subtype=Name.Link,
                        Rect=[0, 0, 10, 10],
                        A=Dictionary(S=Name.URI, URI="https://example.com/", Next=launch),
                    )
                ),
                Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 10, 10], A=launch),
                Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[0, 0, 10, 10], T=String(SECRET)),
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Link,
                    Rect=[0, 0, 10, 10],
                    A=Dictionary(S=Name.URI, URI=String(f"javascript:{SECRET}")),
                ),
                Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 10, 10], Contents=String(SECRET)),
            ]
        )
    return written(made, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)


def photographed(kind: str) -> bytes:
    """A PDF of one page that shows a photograph with notes, put into it in one of the ways of `PHOTOGRAPHED`."""
    made = pikepdf.new()
    page = made.add_blank_page(page_size=(300, 200))
    data, filters = PHOTOGRAPHED[kind]()
    image = made.make_stream(
        data,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=640,
        Height=480,
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
    )
    image.stream_dict.Filter = filters[0] if len(filters) == 1 else Array(filters)
    page.obj.Resources = Dictionary(XObject=Dictionary(Photo=image))
    page.obj.Contents = made.make_stream(b"q 300 0 0 200 0 0 cm /Photo Do Q")
    return written(made, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)


def _photograph(**more: Any) -> bytes:
    return saved(corners(), "jpeg", exif=exif(), comment=SECRET.encode(), **more)


def _noted(jpeg: bytes, marker: bytes, notes: bytes) -> bytes:
    return jpeg[:2] + marker + (len(notes) + 2).to_bytes(2, "big") + notes + jpeg[2:]


def _between_scans() -> bytes:
    jpeg = _photograph(progressive=True)
    at = jpeg.rindex(b"\xff\xda")
    note = SECRET.encode()
    return jpeg[:at] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + jpeg[at:]


def _jpeg2000() -> bytes:
    data = saved(corners(), "jpeg2000")
    note = b"xml " + f"<gps>{SECRET}</gps>".encode()
    at = data.index(b"jp2c") - 4
    return data[:at] + (len(note) + 4).to_bytes(4, "big") + note + data[at:]


PHOTOGRAPHED: dict[str, Callable[[], tuple[bytes, list[Name]]]] = {
    "packed": lambda: (zlib.compress(_photograph()), [Name.FlateDecode, Name.DCTDecode]),
    "in hexadecimal": lambda: (_photograph().hex().encode() + b">", [Name.ASCIIHexDecode, Name.DCTDecode]),
    "filled": lambda: (_photograph().replace(b"\xff\xe1", b"\xff\xff\xff\xe1", 1), [Name.DCTDecode]),
    "two": lambda: (_photograph() + _photograph(), [Name.DCTDecode]),
    "between scans": lambda: (_between_scans(), [Name.DCTDecode]),
    "no profile": lambda: (_noted(_photograph(), b"\xff\xe2", b"FPXR\0" + SECRET.encode()), [Name.DCTDecode]),
    "small picture": lambda: (_noted(_photograph(), b"\xff\xe0", b"JFXX\0" + SECRET.encode()), [Name.DCTDecode]),
    "jpeg 2000": lambda: (_jpeg2000(), [Name.JPXDecode]),
}
