"""The Auth emulator as a part of the local service: its accounts outlive it, and it does not outlive its user."""

import json
from pathlib import Path

import pytest
from tests.integration.parts.people import People
from tests.integration.parts.ports import free_ports
from tests.integration.parts.processes import eventually, is_alive, python

from coravet.adapters.local import LocalError, firebase
from coravet.adapters.local.firebase import AuthEmulator

HOLD = """
import sys, time
from pathlib import Path
from coravet.adapters.local.firebase import AuthEmulator
with AuthEmulator(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])) as emulator:
    print(emulator.pid, flush=True)
    time.sleep(60)
"""


async def test_accounts_outlive_it(folder: Path) -> None:
    """When its parent is killed it saves its accounts and ends; after the next start passwords and old tokens work."""
    tools, port = firebase.install(), free_ports()
    parent = python(HOLD, str(folder), str(port), str(tools))
    assert parent.stdout is not None
    emulator = int(parent.stdout.readline())
    people = People(f"127.0.0.1:{port}")
    person = await people.create("vera")
    token = await people.sign_in(person)
    await people.close()
    parent.kill()
    parent.communicate()
    assert eventually(lambda: not is_alive(emulator))

    with AuthEmulator(folder, port, tools) as again:
        people = People(again.host)
        assert await people.sign_in(person)
        assert await people.lookup(token) == person.uid
        await people.close()


def test_damaged_accounts(folder: Path) -> None:
    """A damaged file of accounts is named, not overwritten."""
    accounts = folder / "accounts.json"
    accounts.write_text('{"users": [')
    with pytest.raises(LocalError, match=r"accounts\.json is damaged"), AuthEmulator(folder, 1, folder):
        pass
    assert accounts.read_text() == '{"users": ['


def test_failed_download(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that fails ends in one sentence, and leaves nothing that a later start would take for installed."""
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_ports()}/")
    monkeypatch.setenv("npm_config_cache", str(folder / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(LocalError, match=r"^npm could not install the Firebase tools: .*ECONNREFUSED.*") as caught:
        firebase.install(folder)
    assert "\n" not in str(caught.value)
    assert {each.name for each in folder.iterdir()} <= {"cache", "lock", "new", "npm.log"}


def test_exactly_pinned() -> None:
    """The emulator is started through a private interface of firebase-tools, so its version is one, not a range."""
    wanted = json.loads((firebase.LOCK / "package.json").read_text())["dependencies"]
    locked = json.loads((firebase.LOCK / "package-lock.json").read_text())["packages"]
    assert wanted == {"firebase-tools": locked["node_modules/firebase-tools"]["version"]}
    assert all(entry.get("integrity") for path, entry in locked.items() if path)
