"""Publishing, and what everybody may see of it."""

import asyncio
import subprocess
from hashlib import sha256
from pathlib import Path, PurePath

import pytest
from tests.integration.http.service import Service, superuser
from tests.integration.parts.texts import Registry, body, shown

from coravet.bootstrap import legal_files, refuse_drift
from coravet.core.kernel.clock import SystemClock
from coravet.core.legal.canonical import digest
from coravet.core.legal.documents import DOCUMENTS
from coravet.core.legal.drift import LegalDrift
from coravet.core.legal.folder import LegalText, examine
from coravet.core.legal.publish import NotPublishable, publish

DOCUMENT = "/legal/documents"


def text(version: str, words: str, slug: str = "portal-terms", locale: str = "es-EC") -> LegalText:
    whole = f"# Texto\n\n{words}\n"
    return LegalText(PurePath(), slug, version, locale, "Texto", whole, digest(whole.encode()))  # type: ignore[arg-type]


async def published(service: Service, change: str, *texts: LegalText) -> bool:
    begin = service.application.works.system_begin
    return (await publish(texts, change, begin, SystemClock())).new  # type: ignore[arg-type]  # one of three words


async def test_first_is_major(alone: Service) -> None:
    """Nobody is spared the first version of a text."""
    with pytest.raises(NotPublishable, match="always a major"):
        await published(alone, "editorial", text("1.0", "x", "terms"))


async def test_shipped_texts(alone: Service, tmp_path: Path) -> None:
    """Every shipped text can be published, and is served byte for byte with the hash that sha256sum says."""
    texts = examine(legal_files(alone.settings)).texts
    assert {text.slug for text in texts} == set(DOCUMENTS)
    begin = alone.application.works.system_begin
    for slug in DOCUMENTS:
        await publish([text for text in texts if text.slug == slug], "major", begin, SystemClock())
    listed = {
        (each["slug"], each["version"], each["locale"]): each
        for each in (await alone.done("GET", f"{DOCUMENT}?limit=200", {}))["items"]
        if each["in_force"]
    }
    for shipped in texts:
        said = subprocess.run(["sha256sum", shipped.path], capture_output=True, text=True, check=True).stdout.split()[0]  # noqa: ASYNC221,S603,S607 -- a small file
        view = listed[shipped.slug, shipped.version, shipped.locale]
        assert view["sha256"] == said
        path = view["url"].removeprefix(alone.settings.public_url + "/api/v1")
        answer = await alone.ask("GET", path, {})
        assert answer.headers["etag"] == f'"{said}"'
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
        assert sha256(answer.content).hexdigest() == said
        again = await alone.ask("GET", path, {"If-None-Match": f'"{said}"'})
        assert (again.status_code, again.content) == (304, b"")
    await refuse_drift(alone.application.works, alone.settings)


@pytest.mark.parametrize(
    "path",
    [
        "/nada/1.0.es-EC.md",
        "/terms/9.9.es-EC.md",
        "/terms/1.0.fr.md",
        "/terms/1.0.es-EC",
        "/terms/.md",
        "/terms/%00.md",
    ],
)
async def test_nothing_there(path: str, alone: Service) -> None:
    """What was not published is not found."""
    assert (await alone.ask("GET", DOCUMENT + path, {})).status_code == 404


async def test_twice(alone: Service) -> None:
    """The same version with the same words is published once; with other words it is refused, and nothing changes."""
    slug = "consent-whatsapp"
    assert await published(alone, "major", text("3.0", "Uno.", slug))
    assert not await published(alone, "major", text("3.0", "Uno.", slug))
    with pytest.raises(NotPublishable, match="with other words"):
        await published(alone, "major", text("3.0", "Dos.", slug))
    with pytest.raises(NotPublishable, match="with other words"):
        await published(alone, "major", text("3.0", "Uno.", slug), text("3.0", "One.", slug, "en"))
    answer = await alone.ask("GET", f"{DOCUMENT}/{slug}/3.0.es-EC.md", {})
    assert answer.text == "# Texto\n\nUno.\n"


async def test_at_once(alone: Service) -> None:
    """Of two who publish different words as one version at the same time, one is refused."""
    slug = "consent-photos"
    done = await asyncio.gather(
        *(published(alone, "major", text("4.0", words, slug)) for words in ("Uno.", "Dos.")), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["NotPublishable", "bool"]


async def test_understated(alone: Service) -> None:
    """A change of purposes, recipients or transfers is major, whoever publishes it; a first version, too."""
    slug = "consent-marketing"
    with_purposes = "## Finalidades\n\nRecordar citas."
    await published(alone, "major", text("5.0", with_purposes, slug))
    with pytest.raises(NotPublishable, match="major change in es-EC: look at Finalidades"):
        await published(alone, "minor", text("5.1", with_purposes + " Y vender.", slug))
    assert await published(alone, "minor", text("5.1", "Hola.\n\n" + with_purposes, slug))
    with pytest.raises(NotPublishable, match="lacks the language es-EC"):
        await published(alone, "major", text("5.2", "x", slug, "en"))


async def test_drift(alone: Service, tmp_path: Path) -> None:
    """The service refuses to start on a changed file; it starts without the newest one, and with drafts."""
    registry = Registry(alone.application.works)
    await registry.publish("terms", "7.0")
    settings = alone.settings.model_copy(update={"legal": tmp_path})
    folder = tmp_path / "terms"
    folder.mkdir()
    with pytest.raises(LegalDrift, match="CORAVET_LEGAL"):
        await refuse_drift(alone.application.works, settings)
    for slug in DOCUMENTS:
        (tmp_path / slug).mkdir(exist_ok=True)
        (tmp_path / slug / "6.0.es-EC.md").write_text("borrador", encoding="utf-8")
    await refuse_drift(alone.application.works, settings)
    file = folder / "7.0.es-EC.md"
    file.write_text(body("terms", "7.0"), encoding="utf-8")
    (folder / "8.0.es-EC.md").write_text("borrador", encoding="utf-8")
    await refuse_drift(alone.application.works, settings)
    file.write_text(body("terms", "7.0") + " ", encoding="utf-8")
    with pytest.raises(LegalDrift, match=shown("terms", "7.0")["sha256"]):
        await refuse_drift(alone.application.works, settings)
    file.unlink()
    async with superuser(alone.settings) as admin:
        await admin.execute("ALTER TABLE legal_versions DROP CONSTRAINT uq_legal_versions_ordinal")
        await admin.execute(
            "INSERT INTO legal_versions SELECT slug, '7.1', gen_random_uuid(), ordinal, change, now()"
            " FROM legal_versions WHERE slug = 'terms' AND version = '7.0'"
        )
        await admin.execute(
            "INSERT INTO legal_texts SELECT slug, '7.1', locale, title, body, sha256 FROM legal_texts"
            " WHERE slug = 'terms' AND version = '7.0' AND locale = 'en'"
        )
    with pytest.raises(LegalDrift) as found:
        await refuse_drift(alone.application.works, settings)
    assert found.value.problems == [
        "Several versions of terms are in force: 7.0, 7.1.",
        "terms 7.1 is in force and lacks the language es-EC.",
    ]
