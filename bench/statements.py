"""That the floor does the same SQL: what PostgreSQL itself logs of one request."""

import asyncio
import re
import socket
from pathlib import Path

import asyncpg

from coravet.adapters.local import LocalError

_ENTRY = re.compile(r"\[(\d+)\] LOG:  (?:statement|execute \S+): (.*?)(?=\n\d{4}-\d\d-\d\d \S+ UTC \[|\Z)", re.DOTALL)
_CAST = re.compile(r"(\$\d+)::[A-Z ]+")
_DRIVERS_OWN = re.compile("typeinfo_tree|'jit'")  # asyncpg learning a type, once a connection
_SETTLE_SECONDS = 0.3


async def of_request(admin: asyncpg.Connection, log: Path, port: int, request: bytes) -> tuple[list[str], bytes]:
    """The statements of one request, and its answer's body.

    They are the look-up of the person, then the transaction that reads appointments.

    What else the server does meanwhile, such as announcing events, runs in transactions of its own and is left out.
    """
    await _log_statements(admin, "all")
    before = len(await asyncio.to_thread(log.read_bytes))
    body = await asyncio.to_thread(_send, port, request)
    await _log_statements(admin, "none")
    written = (await asyncio.to_thread(log.read_bytes))[before:].decode()
    logged = [
        (pid, _CAST.sub(r"\1", " ".join(sql.split())).rstrip(";"))
        for pid, sql in _ENTRY.findall(written)
        if not _DRIVERS_OWN.search(sql)
    ]
    person = [sql for _, sql in logged if "find_person" in sql]
    owner = next(pid for pid, sql in logged if "FROM appointments a" in sql)
    own = [sql for pid, sql in logged if pid == owner]
    read = next(index for index, sql in enumerate(own) if "FROM appointments a" in sql)
    begin = max(index for index, sql in enumerate(own[:read]) if sql.startswith("BEGIN"))
    return [*person, *own[begin : own.index("COMMIT", read) + 1]], body


async def _log_statements(admin: asyncpg.Connection, which: str) -> None:
    await asyncio.sleep(_SETTLE_SECONDS)
    await admin.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
    await admin.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(_SETTLE_SECONDS)


def _send(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 2"):
        raise LocalError(f"A single request failed: {head.decode()} {body.decode()}")
    return body
