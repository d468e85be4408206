"""Jobs: what is to be done after a work commits, by a worker and maybe much later."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from coravet.core.kernel.actor import ClinicId


class Job(msgspec.Struct, frozen=True, tag_field="kind"):
    """Something to do in one clinic; each kind is a subclass with a tag of its own, such as `message.send`.

    A job carries ids and nothing personal: it may wait for weeks, in which a person is erased, a visit cancelled and a
    consent withdrawn. Whoever does it looks at what is so by then.
    """

    clinic_id: ClinicId

    @classmethod
    def kind(cls) -> str:
        """The name under which it waits and is logged."""
        return str(cls.__struct_config__.tag)


class Jobs(Protocol):
    """The queue, as a work sees it."""

    async def defer(self, job: Job, *, at: datetime | None = None, once: str | None = None) -> None:
        """Have it done after this work commits; a work that rolls back leaves no job.

        It is done at least once: a worker that dies in the midst leaves it to the next one, which begins anew.

        Args:
            at: not before this instant; by default at once.
            once: while a job of this kind in this clinic waits or runs under the same text, a second is dropped. Ids
                and words, nothing personal.
        """
        ...


class Attempt(msgspec.Struct, frozen=True):
    """A waiting job that a worker took up.

    Attributes:
        id: the queue's own number for it.
        payload: the job as JSON.
        number: how often it was begun by now, this time included and those whose worker died in the midst.
    """

    id: int
    kind: str
    payload: bytes
    number: int


class TryAgain(Exception):
    """The job is not done, and waits for another attempt after `pause`."""

    def __init__(self, pause: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.pause = pause


class GivenUp(Exception):
    """The job failed for good. The queue keeps it, for a person to look at."""


class Periodic(msgspec.Struct, frozen=True):
    """Something done over and over for all clinics, in one worker at a time.

    Attributes:
        name: under which it is logged and its next time is kept.
        crontab: when, in UTC, as in crontab(5): `* * * * *` is each minute.
    """

    name: str
    crontab: str
    run: Callable[[], Awaitable[None]]


class Queue(Protocol):
    """Where deferred jobs wait, as a worker sees it."""

    async def work_off(
        self,
        kinds: Collection[str],
        attempt: Callable[[Attempt], Awaitable[None]],
        periodic: Sequence[Periodic],
        stop: asyncio.Event,
    ) -> None:
        """Attempt jobs of these kinds as they fall due, several at a time, until `stop`; then end what runs, in time.

        What does not end in time is cut off and waits for the next worker, as do the jobs of a worker that dies.

        Args:
            attempt: returns when the job is done; raises TryAgain or GivenUp.
        """
        ...
