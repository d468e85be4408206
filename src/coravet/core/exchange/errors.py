"""What an import may be refused for."""

from coravet.core.kernel.errors import Conflict
from coravet.core.kernel.sentences import Sentence


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
