"""PDFs as laboratories, scanners and attackers send them."""

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
    for page in made.pages:
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
                Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 10, 10], Contents=String(SECRET)),
            ]
        )
    return written(made, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
