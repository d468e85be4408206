"""Jobs: what is to be done after a work commits, by a worker and maybe much later."""

from datetime import datetime
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
