"""The legal texts that there are: who decides about each, and whether the gate waits for them."""

from typing import Literal, get_args

import msgspec

Change = Literal["major", "minor", "editorial"]
"""Of a version: a `major` one blocks until it is accepted, a `minor` one is told, an `editorial` one neither."""

Decision = Literal["accepted", "declined", "withdrawn"]
Capacity = Literal["oneself", "clinic", "representative"]
"""For whom somebody decides: for themselves, for their clinic, or as the representative of another person."""

PersonalCapacity = Literal["oneself", "representative"]
"""The same of a person who is no member: whoever is under 15 decides through a representative (LOPDP)."""

Audience = Literal["member", "clinic", "guest", "client"]
"""Who decides: everybody who signs in, a clinic through an owner of it, a guest who books, a clinic's client."""

Locale = Literal["es-EC", "en"]
LOCALES: tuple[Locale, ...] = get_args(Locale)
REQUIRED_LOCALE: Locale = "es-EC"
"""In which every version must exist: the language of the people it binds."""


class LegalDocument(msgspec.Struct, frozen=True):
    """One legal text through all its versions.

    Attributes:
        blocking: whoever has it open is let in no further. Consent is free (LOPDP art. 8): no optional one blocks.
    """

    slug: str
    audience: Audience
    blocking: bool = False


DOCUMENTS = {
    document.slug: document
    for document in (
        LegalDocument("terms", "member", blocking=True),
        LegalDocument("privacy", "member", blocking=True),
        LegalDocument("data-processing", "clinic", blocking=True),
        LegalDocument("portal-terms", "guest"),
        LegalDocument("consent-marketing", "client"),
        LegalDocument("consent-whatsapp", "client"),
        LegalDocument("consent-photos", "client"),
    )
}


def path_of(slug: str, version: str, locale: str) -> str:
    """Where one version stays for good, below the service's own address."""
    return f"/api/v1/legal/documents/{slug}/{version}.{locale}.md"
