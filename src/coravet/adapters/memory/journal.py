"""A journal in memory, for unit tests; held to the same contract tests as PostgreSQL's."""

from datetime import UTC, datetime

import msgspec

from coravet.core.kernel.actor import Actor, ClinicId, UserId
from coravet.core.kernel.errors import Unavailable
from coravet.core.kernel.events import Event
from coravet.core.kernel.live import Batch, Numbered, Recorded, hears


class MemoryJournal:
    """The `Journal` port over a list.

    Attributes:
        reachable: while False every question ends in `Unavailable`.
        calls: how many questions were asked.
    """

    def __init__(self) -> None:
        self.reachable = True
        self.calls = 0
        self._pending: list[Recorded] = []
        self._numbered: list[Recorded] = []
        self._highest = 0
        self._pruned_through = 0

    def record(self, event: Event, clinic_id: ClinicId, user_id: UserId | None = None) -> None:
        """Commit an event; it has no number yet."""
        self._pending.append(
            Recorded(
                number=0,
                clinic_id=clinic_id,
                kind=event.kind(),
                audience=event.audience,
                person_id=getattr(event, "person", None),
                subject_type=event.subject_type,
                subject_id=event.id,
                subject_version=event.version,
                actor_user_id=user_id,
                at=datetime.now(UTC),
            )
        )

    async def number(self, limit: int) -> Numbered:
        self._ask()
        taken, self._pending = self._pending[:limit], self._pending[limit:]
        self._numbered += [
            msgspec.structs.replace(event, number=self._highest + place) for place, event in enumerate(taken, 1)
        ]
        self._highest += len(taken)
        return Numbered(len(taken), self._highest)

    async def highest(self) -> int:
        self._ask()
        return self._highest

    async def above(self, number: int, limit: int) -> Batch:
        self._ask()
        return Batch([event for event in self._numbered if event.number > number][:limit], self._highest)

    async def replay(self, actor: Actor, after: int, limit: int) -> Batch | None:
        self._ask()
        events = [
            event
            for event in self._numbered
            if event.number > after and event.clinic_id == actor.clinic_id and hears(actor, event)
        ]
        if not self._pruned_through <= after <= self._highest or len(events) > limit:
            return None
        return Batch(events, self._highest)

    async def prune(self, before: datetime, limit: int) -> int:
        self._ask()
        old = 0
        for event in self._numbered[:limit]:
            if event.at >= before:
                break
            old += 1
        self._pruned_through += old
        del self._numbered[:old]
        return old

    def restore(self, highest: int) -> None:
        """Forget everything above a number, as a database that is restored from a backup does."""
        self._numbered = [event for event in self._numbered if event.number <= highest]
        self._highest = highest

    def _ask(self) -> None:
        self.calls += 1
        if not self.reachable:
            raise Unavailable("The journal does not answer.")
