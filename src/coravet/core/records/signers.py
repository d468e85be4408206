"""Who writes in the record, and who may sign there."""

from coravet.core.kernel.actor import Actor, MemberId
from coravet.core.records.errors import RegistrationRequired
from coravet.core.records.ports import RecordsWork, Signer


def written_by(actor: Actor) -> MemberId:
    """The member who writes. Raises RegistrationRequired where nobody does: records have authors."""
    if actor.member_id is None:
        raise RegistrationRequired
    return actor.member_id


async def registered(work: RecordsWork) -> Signer:
    """Who acts, as a vet who may sign. Raises RegistrationRequired where they have no registration number."""
    signer = await work.signers.signer(written_by(work.actor))
    if not signer.registration_number:
        raise RegistrationRequired
    return signer
