"""Mail over SMTP."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiosmtplib

from coravet.core.kernel.clock import Clock
from coravet.core.messaging.ports import Letter, NotDelivered

PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
TIMEOUT = 20.0
FAILURES = aiosmtplib.SMTPException, OSError, TimeoutError


class SmtpMessenger:
    """`Messenger` over one SMTP server; a connection for each letter.

    Args:
        url: `smtps://` for TLS from the start, `smtp+starttls://` for TLS that must follow, `smtp://` for none; with
            user and password where the server asks for them.
        sender: the address that mails come from; the clinic's name stands before it.
    """

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._clock = clock

    async def deliver(self, letter: Letter) -> Literal["sent"]:
        """See the port. Taken for good or not at all is what the server's answer says: 4xx may change, 5xx will not."""
        try:
            message = compose(letter, self._sender, self._clock)
        except (ValueError, IndexError) as error:
            raise NotDelivered("bad_address", again=False) from error
        smtp = await self._connected()
        try:
            await smtp.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            raise NotDelivered(f"smtp_{code}", again=code < 500) from error
        except aiosmtplib.SMTPSenderRefused as error:
            raise NotDelivered("mail_sender", again=True) from error  # ours to mend, and the letter is good
        except aiosmtplib.SMTPResponseException as error:
            raise NotDelivered(f"smtp_{error.code}", again=error.code < 500) from error
        except aiosmtplib.SMTPNotSupported as error:
            raise NotDelivered("bad_address", again=False) from error
        except FAILURES as error:
            raise NotDelivered("mail_unreachable", again=True) from error
        finally:
            await _leave(smtp)
        return "sent"

    async def check(self) -> None:
        """Whether the server answers and lets us in. Raises NotDelivered."""
        await _leave(await self._connected())

    async def _connected(self) -> aiosmtplib.SMTP:
        """A connection that is let in. What goes wrong here is ours to mend, and the letter is good."""
        smtp = self._connection()
        try:
            await smtp.connect()
        except aiosmtplib.SMTPAuthenticationError as error:
            raise NotDelivered("mail_login", again=True) from error
        except FAILURES as error:
            raise NotDelivered("mail_unreachable", again=True) from error
        return smtp

    def _connection(self) -> aiosmtplib.SMTP:
        url = self._url
        return aiosmtplib.SMTP(
            hostname=url.hostname,
            port=url.port or PORTS[url.scheme],
            username=None if url.username is None else unquote(url.username),
            password=None if url.password is None else unquote(url.password),
            use_tls=url.scheme == "smtps",
            start_tls=url.scheme == "smtp+starttls",
            timeout=TIMEOUT,
        )


async def _leave(smtp: aiosmtplib.SMTP) -> None:
    """Take leave; whether the server still answers changes nothing about what it took."""
    try:
        await smtp.quit()
    except FAILURES:
        smtp.close()


def compose(letter: Letter, sender: str, clock: Clock) -> EmailMessage:
    """The letter as a mail; its Message-ID is the message's own, so that a second copy of it is known as one.

    Raises:
        ValueError, IndexError: the address is not one, or a header would hold a line's end.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(letter.sender, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
    message["Content-Language"] = "es, en"
    if letter.opt_out is not None:
        message["List-Unsubscribe"] = f"<{letter.opt_out}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(letter.text)
    if letter.calendar is not None:
        message.add_attachment(
            letter.calendar.content,
            maintype="text",
            subtype="calendar",
            filename="cita.ics",
            params={"method": letter.calendar.method, "charset": "utf-8"},
        )
    return message
