"""What the clinical record refuses."""

from coravet.core.kernel.errors import Forbidden


class RegistrationRequired(Forbidden):
    """Who signs or prescribes has no registration number."""

    code = "registration_required"
    title = "A registration number is needed"

    def __init__(self) -> None:
        super().__init__(
            "Only a vet with a professional registration number can sign or prescribe. Ask an owner or manager to add"
            " yours under the clinic's members."
        )
