"""Messages in words, and mails made of them."""

import re
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from typing import get_args
from uuid import UUID, uuid4

import icalendar
import msgspec
import pytest
from tests.unit.messaging.test_check import RECALL, VISIT

from coravet.adapters.calendars.ical import ICalendarWriter
from coravet.adapters.letters.words import LINKS, WORDS
from coravet.adapters.letters.writer import BilingualWriter
from coravet.adapters.mail.smtp import compose
from coravet.adapters.whatsapp.by_hand import WaMeLinks
from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.clock import SystemClock
from coravet.core.messaging.model import LinkPurpose, Message, MessageKind
from coravet.core.messaging.ports import Letter

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
START = datetime(2026, 11, 24, 15, tzinfo=UTC)
ID = UUID("01940000-0000-7000-8000-000000000001")
VISIT_FACTS = msgspec.structs.replace(VISIT, starts_at=START, ends_at=START + timedelta(minutes=30))
RECALL_FACTS = msgspec.structs.replace(RECALL, due_on=date(2026, 12, 1))
TOKENS: dict[LinkPurpose, str] = {"see": "s33", "cancel": "c4n", "opt_out": "0ut"}


def _letter(kind: str, channel: str = "mail", tokens: dict[LinkPurpose, str] | None = None) -> Letter:
    visit = kind.startswith(("visit", "waitlist"))
    message = Message(ClinicId(UUID(int=1)), ID, kind, "appointment", ID, channel, NOW, START)
    writer = BilingualWriter(
        ICalendarWriter(), "https://citas.test/cita", "https://citas.test/lista", "https://api.test/opt-outs"
    )
    return writer.write(message, VISIT_FACTS if visit else RECALL_FACTS, tokens or {}, NOW)


@pytest.mark.parametrize("channel", ["mail", "whatsapp"])
@pytest.mark.parametrize("kind", get_args(MessageKind))
def test_every_kind(kind: str, channel: str) -> None:
    """Each kind of message has its words over each channel: greeting, patient, day and clinic, no place left open."""
    letter = _letter(kind, channel)
    assert letter.text.startswith("Hola, Zoila: ")
    assert {"Firulais", "Clínica La Paz"} <= {part for part in ("Firulais", "Clínica La Paz") if part in letter.text}
    assert ("noviembre" if kind.startswith(("visit", "waitlist")) else "martes 1 de diciembre de 2026") in letter.text
    assert ("Hello Zoila, " in letter.text) == (channel == "mail")
    assert "{" not in letter.text + letter.subject
    assert "  " not in letter.text
    assert "\n" not in letter.subject
    assert all(letter.parts)


def test_reminder() -> None:
    """A reminder says in Spanish, then in English, when the visit is by the clinic's clock."""
    spanish, english, *_ = _letter("visit_reminder").text.split("\n\n")
    assert spanish == (
        "Hola, Zoila: le recordamos la cita de Firulais: Consulta, el martes 24 de noviembre de 2026, 10:00. "
        "Si no puede venir, avísenos con tiempo, por favor."
    )
    assert english.startswith(
        "Hello Zoila, a reminder of the visit of Firulais: Consulta, Tuesday, November 24, 2026, 10:00 AM."
    )


@pytest.mark.parametrize("kind", get_args(MessageKind))
def test_one_reader(kind: str) -> None:
    """A letter speaks to one reader, as usted: neither as several people nor as a friend."""
    spanish = WORDS[kind].spanish + " ".join(each.partition(" / ")[0] for each in LINKS.values())
    assert re.findall(r"(?i)\b(les|ustedes|sus|vosotros|te|tu|tus|tú|vos|escríbenos|avísanos)\b", spanish) == []


def test_offer() -> None:
    """An offer to who waits opens on a page of its own."""
    letter = _letter("waitlist_offer", tokens={"accept_offer": "0ff3r"})
    assert "https://citas.test/lista/0ff3r" in letter.text.splitlines()


def test_links() -> None:
    """Links of each purpose have an address of their own; the one that ends reminders is the service's."""
    letter = _letter("visit_reminder", tokens=TOKENS)
    for line in ("https://citas.test/cita/s33", "https://citas.test/cita/c4n", "https://api.test/opt-outs/0ut"):
        assert line in letter.text.splitlines()
    assert letter.opt_out == "https://api.test/opt-outs/0ut"


def test_mail() -> None:
    """A mail parses again: sender, reader, a Message-ID of its own, no auto-replies, one-click opt-out, text."""
    letter = _letter("visit_reminder", tokens=TOKENS)
    mail = message_from_bytes(bytes(compose(letter, "citas@coravet.test", SystemClock())), policy=SMTP)
    assert mail["From"].addresses[0].display_name == "Clínica La Paz"
    assert mail["From"].addresses[0].addr_spec == "citas@coravet.test"
    assert mail["To"].addresses[0].addr_spec == "zq@correo.test"
    assert mail["Subject"] == "Recordatorio: cita de Firulais, martes 24 de noviembre de 2026, 10:00"
    assert mail["Message-ID"] == f"<{ID}@coravet.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://api.test/opt-outs/0ut>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = mail.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n").strip() == letter.text


@pytest.mark.parametrize(
    ("kind", "method", "status"),
    [("visit_booked", "PUBLISH", "CONFIRMED"), ("visit_moved", "PUBLISH", "CONFIRMED"),
     ("visit_reminder", "PUBLISH", "CONFIRMED"),
     ("visit_cancelled", "CANCEL", "CANCELLED")],
)  # fmt: skip
def test_calendar(kind: str, method: str, status: str) -> None:
    """The visit comes along for the reader's calendar, under the same name whether it is booked or called off."""
    mail = message_from_bytes(bytes(compose(_letter(kind), "citas@coravet.test", SystemClock())), policy=SMTP)
    [attached] = list(mail.iter_attachments())
    assert (attached.get_content_type(), attached.get_param("method")) == ("text/calendar", method)
    [event] = icalendar.Calendar.from_ical(attached.get_content()).events
    assert (event["UID"], event["STATUS"]) == (f"{ID}@coravet", status)
    assert event.start == START


@pytest.mark.parametrize(
    "change",
    [
        {"to": "zq@correo.test\r\nBcc: otra@correo.test"},
        {"to": "zq@correo.test, otra@correo.test"},
        {"subject": "Cita\r\nBcc: otra@correo.test"},
        {"sender": "Clínica\nBcc: otra@correo.test"},
        {"to": ""},
    ],
)
def test_injection(change: dict[str, str]) -> None:
    """Nothing that is filled in can add a header or a reader."""
    letter = msgspec.structs.replace(_letter("visit_booked"), **change)
    with pytest.raises((ValueError, IndexError)):
        compose(letter, "citas@coravet.test", SystemClock())


def test_wa_me() -> None:
    """The link opens the client's chat, digits alone, with the whole text in it."""
    letter = msgspec.structs.replace(_letter("visit_reminder", "whatsapp"), to="+593991234567")
    url = WaMeLinks().url(letter)
    assert url.startswith("https://wa.me/593991234567?text=Hola%2C%20Zoila%3A%20le%20recordamos%20la%20cita")
    assert "&" not in url


def test_ids_differ() -> None:
    """Two messages never share a Message-ID, and one message always has the same."""
    letter = _letter("visit_booked")
    other = msgspec.structs.replace(letter, message_id=uuid4())
    ids = [compose(each, "citas@coravet.test", SystemClock())["Message-ID"] for each in (letter, letter, other)]
    assert ids[0] == ids[1] != ids[2]
