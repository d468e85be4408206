"""Publishing, verifying and refusing to start, as whoever runs the service does it."""

import asyncio
from pathlib import Path
from shutil import copytree

import pytest
from tests.integration.cli.test_commands import Terminal, terminal
from tests.integration.http.service import superuser

from coravet.settings import LEGAL, Settings

__all__ = ["terminal"]


@pytest.fixture
def installed(fresh_database: Settings, tmp_path: Path, auth_emulator: str) -> Settings:
    """Settings with a copy of the shipped texts, and with books of their own."""
    copytree(LEGAL, tmp_path / "legal")
    return fresh_database.model_copy(
        update={
            "legal": tmp_path / "legal",
            "kept_apart": tmp_path / "apart",
            "firebase_auth_emulator_host": auth_emulator,
        }
    )


def test_publish(terminal: Terminal, installed: Settings) -> None:
    """A version is published once and for good; what may not be published is a sentence."""
    code, said = terminal.run(installed, "legal", "publish", "terms", "1.0", "--change", "major")
    assert (code, said) == (0, ["terms 1.0 is in force. People who must accept it before they go on: 0."])
    code, said = terminal.run(installed, "legal", "publish", "terms", "1.0", "--change", "major")
    assert (code, said) == (0, ["terms 1.0 was published before, with the same words."])
    code, [sentence] = terminal.run(installed, "legal", "publish", "privacy", "1.0", "--change", "minor")
    assert code == 1
    assert "first version" in sentence
    code, [sentence] = terminal.run(installed, "legal", "publish", "terms", "3.0", "--change", "major")
    assert code == 1
    assert "legal/terms has no sound version 3.0" in sentence


def test_changed_after_it_was_published(terminal: Terminal, installed: Settings) -> None:
    """The service does not start on a text whose file was changed after it was published, and says which and why."""
    terminal.run(installed, "legal", "publish", "terms", "1.0", "--change", "major")
    file = installed.legal / "terms" / "1.0.es-EC.md"
    file.write_bytes(file.read_bytes() + b"\n")
    code, [sentence] = terminal.run(installed, "serve")
    assert code == 1
    assert "legal/terms/1.0.es-EC.md was changed after it was published" in sentence
    code, said = terminal.run(installed, "doctor")
    assert code == 1
    assert any("will not start" in line for line in said)


async def _decided(settings: Settings) -> None:
    async with superuser(settings) as admin:
        await admin.execute(
            "WITH person AS (INSERT INTO users (id, firebase_uid, email, display_name)"
            " VALUES (gen_random_uuid(), 'prueba', 'prueba@correo.test', 'Prueba') RETURNING id)"
            " INSERT INTO acceptances (clinic_id, id, number, user_id, slug, version, locale, sha256, decision,"
            " capacity, decided_at, previous, hash)"
            " SELECT '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 1, id,"
            " 'terms', '1.0', 'es-EC', 'x', 'accepted', 'oneself', now(), '', '' FROM person"
        )


async def test_verify(terminal: Terminal, installed: Settings) -> None:
    """Whole chains verify; a broken one is named, and the command fails."""
    await asyncio.to_thread(terminal.run, installed, "legal", "publish", "terms", "1.0", "--change", "major")
    code, said = await asyncio.to_thread(terminal.run, installed, "legal", "heads")
    assert (code, said) == (0, ["Heads that grew and were kept apart: 0."])
    code, said = await asyncio.to_thread(terminal.run, installed, "legal", "verify")
    assert (code, said) == (0, ["0 chains with 0 decisions, held to 0 heads that were kept apart."])
    await _decided(installed)
    code, said = await asyncio.to_thread(terminal.run, installed, "legal", "verify")
    assert code == 1
    assert any("entry 1 does not follow" in line for line in said)
