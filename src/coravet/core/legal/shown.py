"""Holding what a guest or a client was shown against what is published."""

from collections.abc import Collection

from coravet.core.kernel.errors import FieldError, Invalid, NotFound
from coravet.core.legal.accept import in_force, published
from coravet.core.legal.documents import REQUIRED_LOCALE
from coravet.core.legal.errors import wrong_text
from coravet.core.legal.model import PublishedText, Shown
from coravet.core.legal.ports import LegalWork


async def shown_text(
    work: LegalWork, shown: Shown, slugs: Collection[str], pointer: str, *, agreed: bool
) -> PublishedText:
    """The published text that was shown.

    Args:
        slugs: the texts that can be decided on here.
        pointer: where the body names the text.
        agreed: the words of now are agreed to; otherwise any that were ever published can be spoken of.

    Raises:
        Invalid: there is no such text, or it is none of these; its fields are named.
        TextReplaced: it is agreed to and was replaced.
        HashMismatch: it has other words.
    """
    if shown.slug not in slugs:
        raise wrong_text(f"{pointer}/slug")
    try:
        return await (in_force if agreed else published)(work, shown)
    except NotFound:
        known = await work.legal_texts.text(shown.slug, shown.version, REQUIRED_LOCALE)
    field = "version" if known is None else "locale"
    sentence = "No such text was published. Load the text that is in force, show it, and name that one."
    raise Invalid(errors=[FieldError(f"{pointer}/{field}", "unknown_text", sentence)])
