"""PDFs: what an attachment that is one becomes before anybody opens it.

A PDF is never handed on as it came. What acts when it is opened, what is hidden in it and what tells of who made it is
left out; its pages stay as they are.
"""

from typing import Final

from coravet.core.kernel.errors import Invalid, UnsupportedMedia
from coravet.core.kernel.sentences import Sentence

PDF_TYPE = "application/pdf"

PDF_SIGN: Final = b"%PDF-"
"""What a PDF begins with. The format lets a kilobyte of anything stand before it, and so lets it be two things."""

MOST_PAGES = 1000


class NotAttachable(UnsupportedMedia):
    """Its content is of no kind that is attached to a record."""

    def __init__(self) -> None:
        super().__init__("This file is neither a picture nor a PDF. Send a photo, a scan or a PDF.")


class PdfDamaged(Invalid):
    """It begins as a PDF, and is cut off or cannot be read."""

    code = "pdf_damaged"
    title = "The PDF is damaged"

    def __init__(self) -> None:
        super().__init__("This PDF is cut off or damaged. Send it again.")


class PdfLocked(Invalid):
    """It can be opened with a password only."""

    code = "pdf_locked"
    title = "The PDF is locked"

    def __init__(self) -> None:
        super().__init__("This PDF asks for a password. Save it without one and send that.")


class PdfTooLarge(Invalid):
    """Reading it would take more pages, memory or time than a PDF gets."""

    code = "pdf_too_large"
    title = "The PDF is too large"

    def __init__(self) -> None:
        super().__init__(
            Sentence("This PDF is too large. Send it with at most {pages} pages, or in parts.", pages=MOST_PAGES)
        )
