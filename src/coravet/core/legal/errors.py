"""Why a decision on a legal text, or its publication, is refused."""

from coravet.core.kernel.errors import Conflict, FieldError, Forbidden, Invalid, InvalidTransition, StaleVersion
from coravet.core.legal.gate import OpenDocument


class TextReplaced(StaleVersion):
    """Another version is in force; `document` is that one, to be shown and decided on."""

    def __init__(self, document: OpenDocument) -> None:
        super(StaleVersion, self).__init__(
            "There is a newer version of this text. Show that one, and decide on it.", document=document
        )


class HashMismatch(Conflict):
    """The hash is not that of the published text: something else was shown."""

    code = "hash_mismatch"
    title = "Not the text that was published"

    def __init__(self) -> None:
        super().__init__("The hash is not that of the published text. Load the text again, show it, and decide on it.")


class NotForClinic(Forbidden):
    """Only an owner decides for a clinic."""

    def __init__(self) -> None:
        super().__init__("This text binds the clinic: only an owner of it decides about it.")


class NothingToWithdraw(InvalidTransition):
    """What was not accepted cannot be taken back."""

    def __init__(self) -> None:
        super().__init__("You have not accepted this text, so there is nothing to withdraw.")


def wrong_text(pointer: str) -> Invalid:
    """Another text is to be decided on here; the pointer names what was sent."""
    sentence = "This is not a text to decide on here. Load the text that is asked for, show it, and name that one."
    return Invalid(errors=[FieldError(pointer, "wrong_text", sentence)])
