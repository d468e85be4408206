"""What `coravet serve` refuses before it starts a worker."""

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coravet.entrypoints.cli.refusals import CommandError
from coravet.entrypoints.cli.serve import refuse_unusable
from coravet.settings import Settings


@pytest.fixture
def production(database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a production that nothing is wrong with."""
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = tmp_path / "account.json"
    account.write_bytes(
        msgspec.json.encode(
            {
                "type": "service_account",
                "project_id": "clinic-project",
                "client_email": "service@clinic-project.test",
                "token_uri": "https://localhost/token",
                "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            }
        )
    )
    return database.model_copy(
        update={
            "environment": "production",
            "firebase_project_id": "clinic-project",
            "firebase_credentials": account,
            "public_url": "https://clinic.test",
        }
    )


async def test_a_production_in_order_is_served(production: Settings) -> None:
    """The application's own role and readable credentials pass."""
    await refuse_unusable(production)


async def test_production_refuses_a_superuser(production: Settings) -> None:
    """A role that row-level security does not bind is refused by its name."""
    superuser = production.model_copy(update={"database_url": production.database_admin_url})
    with pytest.raises(CommandError, match="BYPASSRLS"):
        await refuse_unusable(superuser)


@pytest.mark.parametrize("content", [None, "not json", "{}"], ids=["missing", "not JSON", "no account"])
async def test_unreadable_credentials_are_refused(production: Settings, tmp_path: Path, content: str | None) -> None:
    """Credentials that Firebase cannot use end in a sentence that names the setting, not in a worker's traceback."""
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(CommandError, match="FIREBASE_CREDENTIALS"):
        await refuse_unusable(production.model_copy(update={"firebase_credentials": path}))
