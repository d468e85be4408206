"""A NATS server from its package, which asks for a user and a password."""

import json
import sys
from pathlib import Path

from tests.integration.parts.kept_servers import KeptServer

PASSWORD = "hush-nats/@1"
QUOTED = "hush-nats%2F%401"
SERVER = Path(sys.executable).parent / "nats-server"


class NatsServer(KeptServer):
    """NATS, on TCP; `deaf` may log in, too, but is told nothing. With a certificate it speaks TLS only."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        deaf = {"user": "deaf", "password": PASSWORD, "permissions": {"subscribe": {"deny": ">"}}}
        rules: dict[str, object] = {
            "authorization": {"users": [{"user": "coravet", "password": PASSWORD}, deaf]},
        }
        if certificate is not None:
            rules["tls"] = {"cert_file": str(certificate[0]), "key_file": str(certificate[1])}
        # The server reads JSON, too.
        (folder / "nats.conf").write_text(json.dumps(rules))
        super().__init__(folder, [str(SERVER), "--addr", "127.0.0.1", "--port", "{port}", "-c", "{folder}/nats.conf"])
        self.url = f"nats://coravet:{QUOTED}@127.0.0.1:{self.port}"
