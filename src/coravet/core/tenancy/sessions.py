"""Ending a session before its time."""

from datetime import datetime

from coravet.core.kernel.events import SessionEnded
from coravet.core.kernel.work import SystemBegin
from coravet.core.tenancy.ports import Person, TenancyWork


async def end_session(person: Person, session: bytes, expires_at: datetime, begin: SystemBegin[TenancyWork]) -> None:
    """Log out: the cookie is refused from now on everywhere, and its open streams end."""
    async with begin("log out", person.user.id) as work:
        await work.sessions.end(session, expires_at)
        for clinic_id in await work.sessions.clinics_of(person.user.id):
            work.emit(SessionEnded(person.session_id, person=person.user.id), clinic_id)
