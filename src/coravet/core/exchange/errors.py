"""What an import may be refused for."""

from coravet.core.kernel.errors import Conflict
from coravet.core.kernel.sentences import Sentence


class UploadOffset(Conflict):
    """These bytes are here already, or others are missing before them; `received` says from where to go on."""

    code = "upload_offset"
    title = "Go on from another byte"

    def __init__(self, received: int) -> None:
        super().__init__(
            Sentence("Send the file from byte {received} on: up to there it has arrived.", received=received),
            received=received,
        )


class ImportHasErrors(Conflict):
    """Rows of the file cannot be imported, and nobody said to leave them out."""

    code = "import_has_errors"
    title = "Some rows have errors"

    def __init__(self, errors: int) -> None:
        super().__init__(
            Sentence(
                "Rows that cannot be imported: {errors}. Mend them in the file and hand it in anew, or import the"
                " others without them.",
                errors=errors,
            )
        )
