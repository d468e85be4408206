"""What the columns of a clinic's spreadsheet mean, told from the words that stand above them."""

import re
from collections import Counter
from typing import Literal

import msgspec

from coravet.core.exchange.values import words
from coravet.core.kernel.text import fold

PersonField = Literal[
    "name", "name_reversed", "given_name", "family_name", "document_type", "document", "phone", "email", "address",
    "canton",
]  # fmt: skip
AnimalField = Literal["name", "species", "breed", "sex", "reproductive_status", "birth_date", "age", "color", "chip"]
Field = PersonField | AnimalField


class Column(msgspec.Struct, frozen=True):
    """One column of the file.

    Attributes:
        header: as it is written above the column.
        field: what it is taken for; None where it is left out.
        animal: whose it is: 0 the client's, otherwise the first, second … animal of the row.
        hint: what the header says beyond that: the kind of a document, or the unit of an age.
    """

    header: str
    field: Field | None = None
    animal: int = 0
    hint: str | None = None


_OWNER = words(
    "cliente propietario propietaria dueno duena tutor tutora titular responsable representante usuario owner client"
    " customer"
)
_PET = words("mascota paciente animal pet patient")
# What says nothing by itself: articles, prepositions, "número", the `a` of "esterilizado/a".
_SMALL = words("de del la el lo su al the of n no nro num numero number o y e and a as")

_PERSON: dict[str, tuple[PersonField, str | None]] = {
    "nombre": ("name", None),
    "name": ("name", None),
    "nombre completo": ("name", None),
    "full name": ("name", None),
    "nombre apellido": ("name", None),
    "razon social": ("name", None),
    "apellido nombre": ("name_reversed", None),
    "primer nombre": ("given_name", None),
    "segundo nombre": ("given_name", None),
    "given name": ("given_name", None),
    "first name": ("given_name", None),
    "apellido": ("family_name", None),
    "primer apellido": ("family_name", None),
    "segundo apellido": ("family_name", None),
    "apellido paterno": ("family_name", None),
    "apellido materno": ("family_name", None),
    "family name": ("family_name", None),
    "last name": ("family_name", None),
    "surname": ("family_name", None),
    "cedula": ("document", "cedula"),
    "ced": ("document", "cedula"),
    "ci": ("document", "cedula"),
    "c i": ("document", "cedula"),
    "cc": ("document", "cedula"),
    "cedula identidad": ("document", "cedula"),
    "cedula ciudadania": ("document", "cedula"),
    "ruc": ("document", "ruc"),
    "pasaporte": ("document", "passport"),
    "passport": ("document", "passport"),
    "cedula ruc": ("document", None),
    "ruc cedula": ("document", None),
    "ci ruc": ("document", None),
    "ruc ci": ("document", None),
    "cedula ruc pasaporte": ("document", None),
    "cedula pasaporte": ("document", None),
    "documento": ("document", None),
    "document": ("document", None),
    "documento identidad": ("document", None),
    "identificacion": ("document", None),
    "identidad": ("document", None),
    "dni": ("document", None),
    "tipo documento": ("document_type", None),
    "tipo identificacion": ("document_type", None),
    "tipo id": ("document_type", None),
    "telefono": ("phone", None),
    "telf": ("phone", None),
    "tlf": ("phone", None),
    "tel": ("phone", None),
    "fono": ("phone", None),
    "celular": ("phone", None),
    "cel": ("phone", None),
    "movil": ("phone", None),
    "telefono celular": ("phone", None),
    "celular telefono": ("phone", None),
    "telefono movil": ("phone", None),
    "telefono convencional": ("phone", None),
    "telefono fijo": ("phone", None),
    "telefono casa": ("phone", None),
    "telefono contacto": ("phone", None),
    "telefono whatsapp": ("phone", None),
    "celular whatsapp": ("phone", None),
    "convencional": ("phone", None),
    "whatsapp": ("phone", None),
    "contacto": ("phone", None),
    "phone": ("phone", None),
    "mobile": ("phone", None),
    "correo": ("email", None),
    "correo electronico": ("email", None),
    "email": ("email", None),
    "e mail": ("email", None),
    "mail": ("email", None),
    "direccion": ("address", None),
    "domicilio": ("address", None),
    "direccion domicilio": ("address", None),
    "direccion domiciliaria": ("address", None),
    "address": ("address", None),
    "canton": ("canton", None),
    "ciudad": ("canton", None),
    "city": ("canton", None),
}
_ANIMAL: dict[str, tuple[AnimalField, str | None]] = {
    "especie": ("species", None),
    "species": ("species", None),
    "tipo": ("species", None),
    "raza": ("breed", None),
    "breed": ("breed", None),
    "sexo": ("sex", None),
    "genero": ("sex", None),
    "sex": ("sex", None),
    "castrado": ("reproductive_status", None),
    "castrada": ("reproductive_status", None),
    "esterilizado": ("reproductive_status", None),
    "esterilizada": ("reproductive_status", None),
    "esterilizacion": ("reproductive_status", None),
    "castracion": ("reproductive_status", None),
    "castrado esterilizado": ("reproductive_status", None),
    "esterilizado castrado": ("reproductive_status", None),
    "estado reproductivo": ("reproductive_status", None),
    "neutered": ("reproductive_status", None),
    "fecha nacimiento": ("birth_date", None),
    "fec nacimiento": ("birth_date", None),
    "fecha nac": ("birth_date", None),
    "fec nac": ("birth_date", None),
    "f nacimiento": ("birth_date", None),
    "f nac": ("birth_date", None),
    "fdn": ("birth_date", None),
    "nacimiento": ("birth_date", None),
    "birth date": ("birth_date", None),
    "edad": ("age", None),
    "age": ("age", None),
    "edad ano": ("age", "year"),
    "edad mes": ("age", "month"),
    "color": ("color", None),
    "pelaje": ("color", None),
    "capa": ("color", None),
    "color pelaje": ("color", None),
    "color capa": ("color", None),
    "microchip": ("chip", None),
    "chip": ("chip", None),
    "codigo microchip": ("chip", None),
    "codigo chip": ("chip", None),
}
_LIST = frozenset({"phone", "email", "given_name", "family_name", "document", "address"})
"""Fields of a client that several columns may hold: they follow each other, or the first that is filled in counts."""


class _Heard(msgspec.Struct):
    words: str
    number: int | None
    owner: bool
    pet: bool


def columns_of(headers: list[str]) -> list[Column]:
    """What each column is, by its header; several of an animal's that are alike are of one animal each."""
    heard = [_hear(header) for header in headers]
    # "Nombre" beside "Propietario" is the animal's; beside "Mascota" or with nothing else to go by, the client's.
    owner_named = any(
        each.owner and each.words in {"", "nombre", "nombre apellido", "apellido nombre"} for each in heard
    )
    pet_named = any(each.pet and each.words in {"", "nombre"} for each in heard)
    seen: Counter[Field] = Counter()
    columns = []
    for header, each in zip(headers, heard, strict=True):
        field, animal, hint = _meaning(each, bare_is_pet=owner_named and not pet_named)
        if field is not None and animal:
            seen[field] += 1
            animal = each.number if each.number is not None else seen[field]
        columns.append(Column(header, field, animal, hint))
    return _split_names(_once(columns))


def _hear(header: str) -> _Heard:
    text = re.sub(r"(?<=[a-z])(?=\d)", " ", fold(header).replace("°", " ").replace("º", " "))
    numbers: list[int] = []
    kept = []
    owner = pet = False
    for word in re.findall(r"[a-z]+|\d+", text):
        if word.isdigit():
            numbers.append(int(word[:3]))
        elif _one(word) in _OWNER:
            owner = True
        elif _one(word) in _PET:
            pet = True
        elif word not in _SMALL:
            kept.append(_one(word))
    number = numbers[0] if len(numbers) == 1 and 1 <= numbers[0] <= MOST_ANIMALS else None
    return _Heard(" ".join(kept), number, owner, pet)


MOST_ANIMALS = 20
"""Animals that one row has columns for."""


def _one(word: str) -> str:
    """The word in the singular."""
    if word in {"meses", "mes"}:
        return "mes"
    return word.removesuffix("s") if len(word) > 3 else word


def _meaning(heard: _Heard, *, bare_is_pet: bool) -> tuple[Field | None, int, str | None]:
    said = heard.words
    if heard.pet and not heard.owner and said in {"", "nombre", "name"}:
        return "name", 1, None
    if heard.owner and not said:
        return "name", 0, None
    if not heard.owner and said in _ANIMAL:
        of_animal, hint = _ANIMAL[said]
        return of_animal, 1, hint
    if heard.pet or said not in _PERSON:
        return None, 0, None
    if said in {"nombre", "name"} and not heard.owner and bare_is_pet:
        return "name", 1, None
    field, hint = _PERSON[said]
    return field, 0, hint


def _once(columns: list[Column]) -> list[Column]:
    """The columns with each field at most once for each animal and the client, but for those that may be several."""
    taken: set[tuple[Field, int]] = set()
    found = []
    for column in columns:
        key = (column.field, column.animal) if column.field is not None else None
        if key is not None and key in taken and not (column.animal == 0 and column.field in _LIST):
            column = Column(column.header)  # noqa: PLW2901 -- left out
        elif key is not None:
            taken.add(key)
        found.append(column)
    return found


def _split_names(columns: list[Column]) -> list[Column]:
    """Beside a column of family names, that of names holds the given ones."""
    if not any(column.field == "family_name" for column in columns):
        return columns
    return [
        msgspec.structs.replace(column, field="given_name")
        if column.animal == 0 and column.field == "name" and not _whole(column.header)
        else column
        for column in columns
    ]


def _whole(header: str) -> bool:
    return _hear(header).words in {"nombre apellido", "nombre completo", "full name", "razon social"}


def understood(columns: list[Column]) -> int:
    """How many columns are known."""
    return sum(column.field is not None for column in columns)


def tells_who(columns: list[Column]) -> bool:
    """Whether the columns hold the client's name, without which nobody can be registered."""
    return any(column.animal == 0 and column.field in {"name", "name_reversed", "given_name"} for column in columns)
