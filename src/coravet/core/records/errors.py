"""What the clinical record refuses."""

from uuid import UUID

from coravet.core.kernel.errors import Forbidden, StaleVersion


class RegistrationRequired(Forbidden):
    """Who signs or prescribes has no registration number."""

    code = "registration_required"
    title = "A registration number is needed"

    def __init__(self) -> None:
        super().__init__(
            "Only a vet with a professional registration number can sign or prescribe. Ask an owner or manager to add"
            " yours under the clinic's members."
        )


class NoteSetAside(StaleVersion):
    """A note was written by somebody else since; what came too late was kept beside it.

    Attributes:
        extra: the current `version`, and `set_aside_id`, which names the text that was kept.
    """

    def __init__(self, current: int, set_aside_id: UUID) -> None:
        super(StaleVersion, self).__init__(
            "Somebody else wrote since. Your text was kept beside the note: read both, and write what is to stand.",
            version=current,
            set_aside_id=set_aside_id,
        )
