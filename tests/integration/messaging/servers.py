"""Servers on loopback that take messages: a real SMTP server, and one that answers as told in place of an API."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

ACCEPTED = "250 OK"


@dataclass
class MailServer:
    """Takes mails; `answers` are given first, one to each mail, before it accepts all."""

    port: int = 0
    answers: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    tried: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """What the server says when a mail was sent to it."""
        self.tried += 1
        answer = self.answers.pop(0) if self.answers else ACCEPTED
        if answer == ACCEPTED:
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=POLICY)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return answer


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """An SMTP server on a port of its own."""
    taken = MailServer()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(taken, hostname="mail.test", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    taken.port = server.sockets[0].getsockname()[1]
    async with server:
        yield taken


@dataclass
class ApiServer:
    """Takes JSON by POST; `answers` are given first, (status, body), before it answers 200."""

    port: int = 0
    answers: list[tuple[int, Any]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.asked.append((first.split()[1], headers, body))
        status, answer = self.answers.pop(0) if self.answers else (200, {"messages": [{"id": "wamid.1"}]})
        content = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def api_server() -> AsyncIterator[ApiServer]:
    """An HTTP server on a port of its own."""
    taken = ApiServer()
    server = await asyncio.start_server(taken.serve, "127.0.0.1", 0)
    taken.port = server.sockets[0].getsockname()[1]
    async with server:
        yield taken
