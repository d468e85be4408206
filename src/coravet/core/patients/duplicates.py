"""Who may be registered already: asked while a receptionist types, and of a client who is."""

from contextlib import suppress
from typing import get_args

import msgspec

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.text import fold
from coravet.core.kernel.work import Begin
from coravet.core.patients.model import DocumentType
from coravet.core.patients.numbers import BadNumber, Numbers
from coravet.core.patients.ports import Likeness, PatientsWork
from coravet.core.patients.views import DuplicatesView

MOST = 10
"""Suggestions that are worth reading."""


class Person(msgspec.Struct, frozen=True):
    """What has been typed of somebody so far."""

    given_name: str | None = None
    family_name: str | None = None
    document_type: DocumentType | None = None
    document_number: str | None = None
    phone: str | None = None


async def find_duplicates(person: Person, actor: Actor, begin: Begin[PatientsWork], numbers: Numbers) -> DuplicatesView:
    """Clients who may be that person. A number that is not whole yet, or wrong, is passed over."""
    async with begin(actor) as work:
        return DuplicatesView(await work.duplicates.of_person(likeness(person, numbers), MOST))


def likeness(person: Person, numbers: Numbers) -> Likeness:
    """What others are compared with. A number without its document's type may be of any."""
    kind, document, phone = person.document_type, person.document_number, person.phone
    documents: list[tuple[str, str]] = []
    phones = []
    if document is not None:
        for each in get_args(DocumentType) if kind is None else (kind,):
            with suppress(BadNumber):
                documents += same_documents(each, numbers.document(each, document).value)
    if phone is not None:
        with suppress(BadNumber):
            phones.append(numbers.phone(phone).value)
    name = fold(f"{person.given_name or ''} {person.family_name or ''}")
    return Likeness(name=name, documents=documents, phones=phones)


def same_documents(kind: str, number: str) -> list[tuple[str, str]]:
    """The documents that name the same person: a natural person's RUC is their cédula and 001."""
    if kind == "cedula":
        return [(kind, number), ("ruc", f"{number}001")]
    if kind == "ruc":
        return [(kind, number), ("cedula", number[:10])]
    return [(kind, number)]
