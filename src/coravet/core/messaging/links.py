"""Links: what a client may do without signing in, one purpose each."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from coravet.core.messaging.model import Link, LinkPurpose
from coravet.core.messaging.ports import MessagingWork

SEEN_AFTER = timedelta(days=7)
"""How long after its end a visit can be looked at by its links."""


def hash_link(token: str) -> bytes:
    """What is kept of a link's token: its SHA-256."""
    return sha256(token.encode()).digest()


async def mint(work: MessagingWork, purpose: LinkPurpose, subject_id: UUID, expires_at: datetime) -> str:
    """A new link's token, which is told to the client and kept nowhere; `Directory.link` finds what it is for."""
    token = secrets.token_urlsafe(32)
    await work.links.add(
        Link(
            clinic_id=work.actor.clinic_id,
            id=work.new_id(),
            purpose=purpose,
            subject_id=subject_id,
            token_hash=hash_link(token),
            expires_at=expires_at,
        )
    )
    return token
