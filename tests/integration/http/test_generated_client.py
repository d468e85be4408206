"""The OpenAPI document is fit to generate a client from."""

import os
import re

import msgspec
import pytest
from tests.integration.http.service import Service
from typer.testing import CliRunner

from coravet.entrypoints.cli import app


async def test_schemas_have_names_of_their_own(service: Service) -> None:
    """No schema is named after a module, and every page is named after what it holds."""
    document = (await service.ask("GET", "/openapi.json")).json()
    names = document["components"]["schemas"]
    assert "ClientViewPage" in names
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z]+", name)] == []
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(document).decode()))
    assert referred <= set(names)


async def test_what_creates_takes_an_idempotency_key(service: Service) -> None:
    """Every POST but signing in documents the header."""
    document = (await service.ask("GET", "/openapi.json")).json()
    posts = [methods["post"] for methods in document["paths"].values() if "post" in methods]
    without = [
        each["operationId"]
        for each in posts
        if "Idempotency-Key" not in {parameter["name"] for parameter in each.get("parameters", [])}
    ]
    assert without == ["createSession"]


async def test_the_command_prints_what_the_service_answers(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """`coravet openapi` and /api/v1/openapi.json are one document."""
    # The command wires an application with another emulator, which the adapter names in the environment.
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", os.environ["FIREBASE_AUTH_EMULATOR_HOST"])
    printed = CliRunner().invoke(app, ["openapi"])
    assert printed.exit_code == 0, printed.output
    assert msgspec.json.decode(printed.stdout) == (await service.ask("GET", "/openapi.json")).json()
