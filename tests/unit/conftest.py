"""For unit tests: what an adapter left in the environment says nothing to them."""

import pytest


@pytest.fixture(autouse=True)
def _no_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Firebase adapter names its emulator in the environment of the process, where settings would read it."""
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
