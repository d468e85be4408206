"""A patient's photo: handed in, shown in the place of the one before, removed."""

from uuid import UUID

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.clock import Clock
from coravet.core.kernel.errors import NotFound
from coravet.core.kernel.events import PatientPhotoChanged
from coravet.core.media.studio import Studio, Upload
from coravet.core.media.take import Address, Begins, Place, expect, take
from coravet.core.media.views import MediaView


async def expect_photo(patient_id: UUID, actor: Actor, begin: Begins) -> None:
    """See that there is such a patient, before anybody sends megabytes. Raises NotFound."""
    async with begin(actor) as work:
        await expect(Place("photo", patient_id), work)


async def take_photo(
    patient_id: UUID, upload: Upload, actor: Actor, begin: Begins, clock: Clock, studio: Studio, address: Address
) -> MediaView:
    """Show a photo of a patient from now on; see `take`."""
    return await take(Place("photo", patient_id), upload, actor, begin, clock, studio, address)


async def remove_photo(patient_id: UUID, actor: Actor, begin: Begins, clock: Clock) -> None:
    """Show no photo of a patient any more; it is deleted soon.

    Raises:
        NotFound: no such patient here, or one without a photo.
    """
    async with begin(actor) as work:
        patient = await work.patients.lock(patient_id)
        shown = await work.media.photo(patient_id)
        if shown is None:
            raise NotFound
        shown.removed_at = clock.now()
        shown.version += 1
        await work.media.drop_made(shown.id)
        work.emit(PatientPhotoChanged(patient.id, patient.version))
