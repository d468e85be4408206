"""Whether a message still holds: asked at the moment of sending, never before."""

from datetime import datetime

from coravet.core.messaging.model import REMINDERS, Message
from coravet.core.messaging.views import Facts

HOLDS_WHILE: dict[str, frozenset[str]] = {
    "visit_requested": frozenset({"requested"}),
    "visit_booked": frozenset({"requested", "confirmed"}),
    "visit_confirmed": frozenset({"confirmed"}),
    "visit_moved": frozenset({"requested", "confirmed"}),
    "visit_cancelled": frozenset({"cancelled"}),
    "visit_reminder": frozenset({"requested", "confirmed"}),
    "waitlist_offer": frozenset({"offered"}),
}
"""While a visit, or who waits for one, is in which state each kind of message about it is true."""

NEWS = frozenset({"visit_requested", "visit_booked", "visit_confirmed", "visit_moved", "visit_cancelled"})
"""What tells how things stand with a visit: of several that are true, the last one is enough."""


def needs_consent(kind: str, channel: str) -> bool:
    """Whether a client must have opted in.

    What answers their own booking goes to the mail address that they gave for it, as the contract asks; reminders, and
    whatever goes over WhatsApp, are a convenience that they choose.
    """
    return kind in REMINDERS or channel == "whatsapp"


def hindrance(message: Message, facts: Facts, now: datetime) -> str | None:
    """A word for what keeps a message from being sent, or None where nothing does."""
    return _untrue(message, facts, now) or _unwanted(message, facts)


def _untrue(message: Message, facts: Facts, now: datetime) -> str | None:
    if facts.client_id is None:
        return "subject_gone"
    if facts.deceased:
        return "patient_deceased"
    if facts.client_deceased:
        return "client_deceased"
    if facts.client_suspended:
        return "client_suspended"
    if message.kind in HOLDS_WHILE:
        return _visit_changed(message, facts, now)
    return "recall_closed" if facts.closed else None


def _visit_changed(message: Message, facts: Facts, now: datetime) -> str | None:
    if facts.visit_status not in HOLDS_WHILE[message.kind]:
        return f"visit_{facts.visit_status}"
    if facts.starts_at is None or facts.starts_at <= now:
        return "visit_past"
    if message.kind != "visit_cancelled" and message.starts_at != facts.starts_at:
        return "visit_moved"
    # Only for news that are true themselves: so the last true ones are always told, whatever came and went since.
    told_since = any(kind in NEWS and facts.visit_status in HOLDS_WHILE[kind] for kind in facts.later)
    return "superseded" if message.kind in NEWS and told_since else None


def _unwanted(message: Message, facts: Facts) -> str | None:
    if needs_consent(message.kind, message.channel) and not facts.allowed:
        return "no_consent"
    return "no_address" if facts.address is None else None
