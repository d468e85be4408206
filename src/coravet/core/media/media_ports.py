"""What photos and files ask of the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from coravet.core.kernel.actor import ClinicId
from coravet.core.kernel.pages import Page, PageRequest
from coravet.core.kernel.work import Table, Work
from coravet.core.media.keys import Key
from coravet.core.media.model import Media, Purpose
from coravet.core.media.pictures import VariantName
from coravet.core.patients.model import Patient
from coravet.core.records.model import Encounter

ObjectName = Literal[VariantName, "original"]


class MadeObject(msgspec.Struct, frozen=True):
    """An object that was made of a file: where it lies, and what it is. What is no picture has no sides."""

    variant: ObjectName
    key: Key
    media_type: str
    size: int
    width: int | None = None
    height: int | None = None


class FoundObject(msgspec.Struct, frozen=True):
    """An object that may be read, and of what it is."""

    purpose: Purpose
    file_name: str | None
    made: MadeObject


class MediaRows(Table[Media], Protocol):
    """The conversation about the clinic's photos and files."""

    async def same(self, patient_id: UUID, purpose: Purpose, encounter_id: UUID | None, sha256: str) -> Media | None:
        """The patient's file with that content, if it was handed in before and nobody removed or voided it since."""
        ...

    async def photo(self, patient_id: UUID) -> Media | None:
        """The photo that shows now, or none; whoever replaces it is alone until this work ends."""
        ...

    async def made(self, media_id: UUID) -> list[MadeObject]:
        """The objects that were made of it."""
        ...

    async def add_made(self, media_id: UUID, objects: list[MadeObject]) -> None:
        """Name the objects made of it; waits for whoever is deleting one of them."""
        ...

    async def drop_made(self, media_id: UUID) -> None:
        """Name its objects no more: they are deleted soon."""
        ...

    async def attachments(
        self, page: PageRequest, patient_id: UUID, encounter_id: UUID | None
    ) -> Page[tuple[Media, list[MadeObject]]]:
        """What is attached to the record, or to that visit, with the objects made of each; the newest first.

        Raises:
            NotFound: no such patient here.
        """
        ...

    async def object(self, media_id: UUID, variant: str) -> FoundObject:
        """One that may be shown. Raises NotFound, also of what was removed."""
        ...


class MediaWork(Work, Protocol):
    """The unit of work as photos and files use it."""

    @property
    def patients(self) -> Table[Patient]: ...

    @property
    def encounters(self) -> Table[Encounter]: ...

    @property
    def media(self) -> MediaRows: ...


class Unfinished(msgspec.Struct, frozen=True):
    """An upload that did not come to an end in time; `whole` where all of its bytes are here."""

    clinic_id: ClinicId
    media_id: UUID
    whole: bool


class Discards(Protocol):
    """The conversation about objects to delete, of all clinics."""

    async def add_orphans(self, keys: Sequence[Key]) -> None:
        """Discard those of these objects that nothing leads to."""
        ...

    async def next(self, after: Key | None, limit: int) -> list[Key]:
        """Those that wait, in order."""
        ...

    async def claim(self, key: Key) -> bool:
        """Whether nothing leads to it; until this work ends nothing will."""
        ...

    async def done(self, key: Key) -> None:
        """It is deleted."""
        ...

    async def end_unfinished(self, before: datetime, problem: str, limit: int) -> list[Unfinished]:
        """Have some uploads failed that were begun before then; who looks at them is told."""
        ...

    async def unwanted(self, since: datetime) -> list[Unfinished]:
        """Uploads that were under way when their patient was erased, since then."""
        ...


class DiscardsWork(Work, Protocol):
    """The unit of work as deletion uses it."""

    @property
    def discards(self) -> Discards: ...
