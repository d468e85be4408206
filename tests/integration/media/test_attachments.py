"""What is attached to a record over HTTP: pictures and PDFs, kept clean, listed, read by who may, never taken away."""

import zlib
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pikepdf
import pypdfium2
import pytest
from tests.integration.http.service import Service, superuser
from tests.integration.media.conftest import Upload
from tests.integration.media.documents import PHOTOGRAPHED, loaded, pdf, photographed, written
from tests.integration.media.test_photos import Album, album
from tests.integration.media.uploads import CORNERS, SECRET, corners, exif, saved
from tests.integration.parts.snapshots import picture

from coravet.adapters.vips.converter import VipsConverter
from coravet.core.kernel.errors import DomainError
from coravet.core.media.pdfs import MOST_PAGES, NotAttachable, PdfDamaged, PdfLocked, PdfTooLarge

__all__ = ["album"]


class Folder:
    """What a vet attaches to a patient's record."""

    def __init__(self, album: Album) -> None:
        self.album, self.clinic = album, album.clinic
        self.vet = album.clinic.people["vet"]
        self.at = f"/clinics/{album.clinic.slug}"
        self.patient = f"{self.at}/patients/{album.clinic.ids['patient_id']}"

    async def send(self, data: bytes, who: Any = None, **more: Any) -> httpx.Response:
        return await self.album.service.ask(
            "POST", f"{self.patient}/attachments", who or self.vet, content=data, params=more
        )

    async def attach(self, data: bytes, **more: Any) -> dict[str, Any]:
        answer = await self.send(data, **more)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, method: str, path: str, who: Any = None, **content: Any) -> httpx.Response:
        return await self.album.service.ask(method, f"{self.at}{path}", who or self.vet, **content)

    async def listed(self, **params: str) -> list[dict[str, Any]]:
        answer = await self.album.service.ask("GET", f"{self.patient}/attachments", self.vet, params=params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def visit(self) -> str:
        body = {"patient_id": self.clinic.ids["patient_id"], "reason": "Herida"}
        answer = await self.ask("POST", "/encounters", json=body)
        found: str = answer.json()["id"]
        return found


@pytest.fixture
async def folder(service: Service) -> Folder:
    clinic = await service.full_clinic("adjuntos")
    return Folder(Album(service, clinic))


def shown(data: bytes, page: int = 0) -> list[tuple[int, int, int]]:
    """The colours near the four corners of a page, as another library draws it."""
    document = pypdfium2.PdfDocument(data)
    drawn = document[page].render(scale=1).to_pil().convert("RGB")
    at = [(20, 20), (drawn.width - 20, 20), (20, drawn.height - 20), (drawn.width - 20, drawn.height - 20)]
    found = [drawn.getpixel(each) for each in at]
    document.close()
    return found  # type: ignore[return-value]  # three bands


async def test_clean(converter: VipsConverter, upload: Upload) -> None:
    """A PDF keeps its pages and links; what acts, hides or tells of who made it is gone, to the last byte."""
    data = loaded()
    assert data.count(SECRET.encode()) > 10
    made = await converter.clean(upload(data))
    assert made.startswith(b"%PDF-")
    for raw in (made, *_streams(made)):
        for trace in (SECRET.encode(), SECRET.encode("utf-16-be"), b"JavaScript", b"Launch", b"XFA", b"EmbeddedFile"):
            assert trace not in raw
    for page in (0, 1):
        for seen, wanted in zip(shown(made, page), CORNERS.values(), strict=True):
            assert all(abs(one - other) < 25 for one, other in zip(seen, wanted, strict=True))
    assert any(b"https://example.com/" in raw for raw in (made, *_streams(made)))


def _streams(data: bytes) -> list[bytes]:
    """What every stream of a file holds once it is unpacked, by hand."""
    found = []
    for piece in data.split(b"stream\n")[1:]:
        try:
            found.append(zlib.decompressobj().decompress(piece))
        except zlib.error:
            found.append(piece)
    return found


@pytest.mark.parametrize("kind", PHOTOGRAPHED)
async def test_photographs_in_it(converter: VipsConverter, upload: Upload, kind: str) -> None:
    """However a photograph is put into a PDF, it shows as before, and says nothing of where it was taken."""
    data = photographed(kind)
    made = await converter.clean(upload(data))
    for raw in (made, *_streams(made)):
        assert SECRET.encode() not in raw
        assert SECRET.encode("utf-16-be") not in raw
    assert _near(shown(made), shown(data))


def _near(one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(abs(a - b) < 25 for found, wanted in pairs for a, b in zip(found, wanted, strict=True))


@pytest.mark.long
@pytest.mark.parametrize("size", [100, 1500])
async def test_bombs(converter: VipsConverter, upload: Upload, size: int) -> None:
    """Megabytes of zeros packed into kilobytes end within a PDF's bounds, and the next one is well."""
    bomb = pikepdf.new()
    page = bomb.add_blank_page()
    packed = zlib.compressobj(9)
    data = b"".join([*(packed.compress(bytes(2**20)) for _ in range(size)), packed.flush()])
    twice = zlib.compress(data, 9)
    page.obj.Contents = bomb.make_stream(twice, Filter=pikepdf.Array([pikepdf.Name.FlateDecode] * 2))
    try:
        made = await converter.clean(upload(written(bomb, stream_decode_level=pikepdf.StreamDecodeLevel.none)))
    except PdfTooLarge:
        made = b""
    assert len(made) < 20_000_000
    assert (await converter.clean(upload(pdf()))).startswith(b"%PDF-")


async def test_the_same(converter: VipsConverter, upload: Upload) -> None:
    """The same file becomes the same object, however often it is cleaned."""
    data = loaded()
    assert await converter.clean(upload(data)) == await converter.clean(upload(data))


BAD: dict[str, tuple[bytes, type[DomainError]]] = {
    "truncated": (loaded()[: len(loaded()) // 2], PdfDamaged),
    "head alone": (b"%PDF-1.7\n", PdfDamaged),
    "rubbish": (b"%PDF-1.7\n" + b"\x00\xff" * 500 + b"\n%%EOF", PdfDamaged),
    "without pages": (pdf(0), PdfDamaged),
    "too many pages": (pdf(MOST_PAGES + 1), PdfTooLarge),
    "behind an image": (picture() + pdf(), NotAttachable),
    "html": (b"<html><script>alert(1)</script>", NotAttachable),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad(converter: VipsConverter, upload: Upload, name: str) -> None:
    """What is no PDF, broken or too much: a clear code, and the next one is well."""
    data, error = BAD[name]
    with pytest.raises(error):
        await converter.clean(upload(data))
    assert (await converter.clean(upload(pdf()))).startswith(b"%PDF-")


async def test_locked(converter: VipsConverter, upload: Upload) -> None:
    """A PDF that asks for a password is refused; one that only forbids to print is read."""
    locked = pdf(encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(PdfLocked):
        await converter.clean(upload(locked))
    assert await converter.clean(upload(pdf(encryption=pikepdf.Encryption(owner="o", user=""))))


async def test_attached(folder: Folder) -> None:
    """A PDF is attached to a visit, listed, in the timeline, told to who reads records, and read as a file only."""
    visit = await folder.visit()
    made = await folder.attach(loaded(), encounter_id=visit, file_name="../../Análisis 🐶.pdf")
    assert (made["status"], made["purpose"], made["encounter_id"]) == ("ready", "attachment", visit)
    assert (made["file_name"], made["placeholder"], set(made["variants"])) == ("Análisis 🐶.pdf", None, {"original"})
    assert (await folder.listed())[0] == made
    assert await folder.listed(encounter_id=visit) == [made]
    assert await folder.listed(encounter_id=str(UUID(int=7))) == []
    found = await folder.ask("GET", f"/patients/{made['patient_id']}/timeline", params={"kind": "attachment"})
    entry = found.json()["items"][0]
    assert (entry["id"], entry["title"], entry["detail"]) == (made["id"], "Análisis 🐶.pdf", "pdf")
    assert (entry["encounter_id"], entry["voided"], bool(entry["by"])) == (visit, False, True)
    read = await folder.ask("GET", f"/media/{made['id']}/original")
    assert (read.status_code, len(read.content)) == (200, made["variants"]["original"]["bytes"])
    assert SECRET.encode() not in read.content
    assert read.headers["content-type"] == "application/pdf"
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''An%C3%A1lisis%20%F0%9F%90%B6.pdf"
    async with superuser(folder.album.service.settings) as admin:
        row = await admin.fetchrow("SELECT * FROM outbox WHERE subject_id = $1", UUID(made["id"]))
    assert (row["kind"], row["audience"]) == ("attachment.added", "records:read")


async def test_picture(folder: Folder) -> None:
    """A picture is attached as a photo is kept, without what the camera wrote, and is nobody's portrait."""
    made = await folder.attach(saved(corners(), "jpeg", exif=exif()), file_name="herida.jpg")
    assert set(made["variants"]) == {"thumbnail", "card", "full"}
    assert await folder.album.shown() != {"id": made["id"], "placeholder": made["placeholder"]}
    for name in made["variants"]:
        read = await folder.ask("GET", f"/media/{made['id']}/{name}")
        assert (read.content[8:12], read.headers["content-type"]) == (b"WEBP", "image/webp")
        assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''herida.webp"
        assert SECRET.encode() not in read.content


async def test_again(folder: Folder) -> None:
    """The same file of the same visit is attached once; of another visit it is another attachment."""
    data, visit = pdf(2), await folder.visit()
    one = await folder.attach(data)
    assert await folder.attach(data) == one
    other = await folder.attach(data, encounter_id=visit)
    assert other["id"] != one["id"]
    assert {each["id"] for each in await folder.listed()} >= {one["id"], other["id"]}


async def test_form(folder: Folder) -> None:
    """A form brings the file with its name, and says of which visit it is; what is no visit's id is refused."""
    visit = await folder.visit()
    at, form = f"/patients/{folder.clinic.ids['patient_id']}/attachments", {"file": ("informe.hta", pdf(5))}
    made = await folder.ask("POST", at, files=form, data={"encounter_id": visit})
    assert (made.status_code, made.json()["encounter_id"], made.json()["file_name"]) == (201, visit, "informe.hta")
    read = await folder.ask("GET", f"/media/{made.json()['id']}/original")
    assert read.headers["content-disposition"] == "attachment; filename*=UTF-8''informe.pdf"
    wrong = await folder.ask("POST", at, files=form, data={"encounter_id": "x"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/encounter_id")


async def test_pages(folder: Folder) -> None:
    """Attachments are listed in pages, the newest first."""
    made = [(await folder.attach(pdf(count)))["id"] for count in (3, 4, 5)]
    first = await folder.album.service.ask("GET", f"{folder.patient}/attachments", folder.vet, params={"limit": "2"})
    assert [each["id"] for each in first.json()["items"]] == [made[2], made[1]]
    rest = await folder.listed(cursor=first.json()["next_cursor"])
    assert rest[0]["id"] == made[0]


async def test_after_signing(folder: Folder) -> None:
    """What comes later, as a laboratory's report, is attached to a signed visit and changes nothing that was signed."""
    visit = await folder.visit()
    note = {"version": 1, "note": {"plan": "Reposo"}}
    written = (await folder.ask("PATCH", f"/encounters/{visit}", json=note)).json()
    signed = await folder.ask("POST", f"/encounters/{visit}/sign", json={"version": written["version"]})
    assert signed.status_code == 200, signed.text
    made = await folder.attach(pdf(6), encounter_id=visit)
    assert made["encounter_id"] == visit
    assert (await folder.ask("GET", f"/encounters/{visit}")).json() == signed.json()


async def test_visit_of_another(folder: Folder) -> None:
    """Nothing is attached to a visit of another patient, to none, or to one that was entered in error."""
    person = {"client_id": folder.clinic.ids["client_id"], "name": "Otra", "species": "cat"}
    patient = (await folder.ask("POST", "/patients", json=person)).json()
    other = await folder.ask("POST", "/encounters", json={"patient_id": patient["id"], "reason": "Tos"})
    for visit in (other.json()["id"], str(UUID(int=9))):
        answer = await folder.send(pdf(), encounter_id=visit)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    voided = await folder.visit()
    await folder.ask("POST", f"/encounters/{voided}/void", json={"reason": "De otro"})
    answer = await folder.send(pdf(), encounter_id=voided)
    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")


async def test_reception_reads_none(folder: Folder) -> None:
    """Who may not read the record sees no attachment, nor that there is one in any list; other clinics find nothing."""
    made = await folder.attach(pdf(7))
    staff = folder.clinic.people["staff"]
    for path in (f"/media/{made['id']}", f"/media/{made['id']}/original"):
        answer = await folder.ask("GET", path, staff)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await folder.send(pdf(), who=staff)).status_code == 403
    other = await folder.album.service.open_clinic("vecina")
    for path in (f"/media/{made['id']}", f"/media/{made['id']}/original"):
        answer = await folder.album.service.ask("GET", f"/clinics/{other.slug}{path}", other.owner)
        assert answer.status_code == 404


async def test_void(folder: Folder) -> None:
    """What was attached in error is marked so, with a reason, once; it stays for who reads the record."""
    made = await folder.attach(pdf(8))
    blank = await folder.ask("POST", f"/media/{made['id']}/void", json={"reason": " "})
    assert blank.status_code == 422
    voided = (await folder.ask("POST", f"/media/{made['id']}/void", json={"reason": "De otro animal"})).json()
    assert (voided["void_reason"], voided["voided_at"] is not None) == ("De otro animal", True)
    again = await folder.ask("POST", f"/media/{made['id']}/void", json={"reason": "Otra vez"})
    assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
    assert (await folder.listed())[0] == voided
    [entry] = [
        each
        for each in (await folder.ask("GET", f"/patients/{made['patient_id']}/timeline")).json()["items"]
        if each["id"] == made["id"]
    ]
    assert entry["voided"] is True
    assert (await folder.ask("GET", f"/media/{made['id']}/original")).status_code == 200
    anew = await folder.attach(pdf(8))
    assert (anew["id"] != made["id"], anew["voided_at"]) == (True, None)
    photo = await folder.album.send(picture())
    answer = await folder.ask("POST", f"/media/{photo['id']}/void", json={"reason": "x"})
    assert answer.status_code == 404


async def test_the_database_keeps_it(folder: Folder) -> None:
    """Nothing of an attachment that is part of the record changes, whoever asks the database, but that one mark."""
    made = await folder.attach(pdf(9))
    async with superuser(folder.album.service.settings) as admin:
        for change in (
            "sha256 = 'x'",
            "patient_id = patient_id, file_name = 'otro.pdf'",
            "removed_at = now()",
            "status = 'failed', problem = 'x', ready_at = NULL",
            "encounter_id = NULL, created_at = now()",
        ):
            with pytest.raises(asyncpg.RestrictViolationError):
                await admin.execute(f"UPDATE media SET {change} WHERE id = $1", UUID(made["id"]))  # noqa: S608 -- ours
        with pytest.raises(asyncpg.RestrictViolationError):
            await admin.execute("DELETE FROM media_variants WHERE media_id = $1", UUID(made["id"]))
        mark = "UPDATE media SET voided_at = now(), void_reason = $2 WHERE id = $1"
        await admin.execute(mark, UUID(made["id"]), "De otro")
        with pytest.raises(asyncpg.RestrictViolationError):
            await admin.execute(mark, UUID(made["id"]), "Más")


NAMES = {
    "C:\\fakepath\\x.pdf": "x.pdf",
    "../../etc/passwd": "passwd",
    "a\nb\tc.pdf": "a b c.pdf",
    'a"b;c.pdf': 'a"b;c.pdf',
    "🐶🐱.pdf": "🐶🐱.pdf",
    "x" * 300 + ".pdf": "x" * 194 + ".pdf",
    "\u202efdp.exe": None,
    "/": None,
}


@pytest.mark.parametrize(("given", "kept"), NAMES.items(), ids=range(len(NAMES)))
async def test_names(folder: Folder, given: str, kept: str | None) -> None:
    """A name is shown as a line of text without folders, and names nothing on disk."""
    made = await folder.attach(pdf(2) + b"\n%" + given.encode().hex().encode()[:40] + b"\n%%EOF", file_name=given)
    assert made["file_name"] == kept
    read = await folder.ask("GET", f"/media/{made['id']}/original")
    assert read.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        pytest.param(b"PK\x03\x04 archive", 415, "unsupported_media", id="archive"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media", id="svg"),
        pytest.param(loaded()[:2000], 422, "pdf_damaged", id="half"),
        pytest.param(b"", 422, "invalid", id="empty"),
    ],
)
async def test_refused(folder: Folder, data: bytes, status: int, code: str) -> None:
    """What cannot be attached is refused with its code, and leaves nothing."""
    before = await folder.listed()
    answer = await folder.send(data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await folder.listed() == before


async def test_in_pieces(folder: Folder) -> None:
    """A PDF arrives in pieces as a photo may, for who may write the record."""
    data = loaded()
    file = {
        "purpose": "attachment",
        "size": len(data),
        "sha256": sha256(data).hexdigest(),
        "file_name": "informe.pdf",
        "encounter_id": await folder.visit(),
    }
    at = f"/patients/{folder.clinic.ids['patient_id']}/uploads"
    media = (await folder.ask("POST", at, json=file)).json()
    await folder.ask("PUT", f"/media/{media['id']}/bytes", content=data[:999])
    refused = await folder.ask(
        "PUT",
        f"/media/{media['id']}/bytes",
        folder.clinic.people["staff"],
        content=data[999:],
        params={"offset": "999"},
    )
    assert refused.status_code == 403
    made = await folder.ask("PUT", f"/media/{media['id']}/bytes", content=data[999:], params={"offset": "999"})
    assert (made.json()["status"], made.json()["file_name"]) == ("ready", "informe.pdf")
    assert BytesIO((await folder.ask("GET", f"/media/{media['id']}/original")).content).read(5) == b"%PDF-"
    assert (await folder.listed())[0]["id"] == media["id"]
