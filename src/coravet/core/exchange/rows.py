"""What a row of the file says: the client and the animals in it, by the same rules as when they are registered."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any, get_type_hints

import msgspec

from coravet.core.exchange.columns import Column
from coravet.core.exchange.model import Animal, Layout, Person, Problem, problem
from coravet.core.exchange.names import JOINED, joins_people, names_several, split_name
from coravet.core.exchange.reading import Record
from coravet.core.exchange.values import (
    SEVERAL,
    birth_of,
    born_of_age,
    digits_of,
    number_in,
    phones_of,
    reproductive_status_of,
    sex_of,
    shortened,
    species_of,
    written,
)
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.text import fold
from coravet.core.patients.cantons import cantons
from coravet.core.patients.clients import NewClient, check_client
from coravet.core.patients.contacts import check_contact
from coravet.core.patients.identifiers import check_identifier
from coravet.core.patients.numbers import Numbers
from coravet.core.patients.patients import NewPatient, check_patient

_FINAL_CONSUMER = frozenset({"9999999999", "9999999999999"})
"""What invoices to nobody in particular carry in the place of a document."""

_KINDS = {"cedula": "cedula", "ci": "cedula", "ruc": "ruc", "pasaporte": "passport", "passport": "passport"}


class Interpreted(msgspec.Struct, frozen=True):
    """What a row says, whoever that is: no other row nor the clinic's clients were looked at."""

    number: int
    person: Person | None
    animals: list[Animal]
    problems: list[Problem]

    @property
    def sound(self) -> bool:
        """Whether it can be imported."""
        return not any(each.error for each in self.problems)


def interpret(record: Record, layout: Layout, numbers: Numbers, today: date) -> Interpreted | None:
    """What a row says; None where it is blank.

    Args:
        today: the clinic's day; nobody is born after it.
    """
    if record.problem is not None:
        return Interpreted(record.number, None, [], [problem(None, _broken(record.problem))])
    if not record.cells:
        return None
    row = _Row(record, layout)
    if len(record.cells) > layout.width:
        sentence = Sentence(
            "This row has {cells} cells, and the header {width}. One of them holds the sign that separates the others:"
            " put quotation marks around that cell.",
            cells=len(record.cells),
            width=layout.width,
        )
        row.odd(None, "too_many_cells", sentence, error=True)
        return Interpreted(record.number, None, [], row.problems)
    if any(layout.separator in cell.partition("\n")[2] for cell in record.cells):
        sentence = Sentence(
            "A cell in quotation marks goes on over several lines. Look whether a mark is too much, so that it holds"
            " what should be rows of their own."
        )
        row.odd(None, "several_lines", sentence)
    person = _person(row, numbers)
    animals = [animal for group in row.groups for animal in _animals(row, group, layout, today)]
    if person is None and not animals and not row.problems:
        return None
    return Interpreted(record.number, person, animals, row.problems)


def _broken(code: str) -> FieldError:
    if code == "broken_quote":
        sentence = Sentence(
            "A quotation mark opens here and does not close, or closes in the middle of a cell. Look for the marks in"
            " this row of the file, and remove the one that is too much."
        )
    else:
        sentence = Sentence(
            "This row is much longer than any list of clients has. Look whether a line break is missing."
        )
    return FieldError("", code, sentence)


def _text(column: Column, cell: str) -> str | None:
    if column.field is None:
        return None
    if column.field == "reproductive_status" and reproductive_status_of(cell) is not None:
        return cell  # where a cross or a "no" says something
    return written(cell)


class _Row:
    """The cells of one row by what they mean, and what is wrong with them."""

    def __init__(self, record: Record, layout: Layout) -> None:
        self.problems: list[Problem] = []
        self._cells: dict[int, dict[str, list[tuple[Column, str]]]] = {}
        for column, cell in zip(layout.columns, record.cells, strict=False):
            text = _text(column, cell)
            if text is None or column.field is None:
                continue
            if "\ufffd" in text:
                sentence = Sentence("It holds a character that cannot be read. Type it anew.")
                self.odd(column.header, "unreadable", sentence, error=True)
            elif text.endswith('"') and text.count('"') == 1:
                self.odd(column.header, "stray_quote", Sentence("It ends with a quotation mark that opens nowhere."))
            elif text.startswith(("=", "@")):
                self.odd(column.header, "formula", Sentence("It looks like a formula and is taken as text."))
            self._cells.setdefault(column.animal, {}).setdefault(column.field, []).append((column, text))

    @property
    def groups(self) -> list[int]:
        """The animals that have cells filled in."""
        return sorted(group for group in self._cells if group)

    def all(self, field: str, animal: int = 0) -> list[tuple[Column, str]]:
        """The cells of a field that are filled in."""
        return self._cells.get(animal, {}).get(field, [])

    def one(self, field: str, animal: int = 0) -> str | None:
        """The first of them."""
        return next((text for _, text in self.all(field, animal)), None)

    def header(self, field: str, animal: int = 0) -> str | None:
        """What stands above it."""
        return next((column.header for column, _ in self.all(field, animal)), None)

    def odd(self, column: str | None, code: str, sentence: str, *, error: bool = False) -> None:
        """Note what is odd, or wrong."""
        self.problems.append(problem(column, FieldError("", code, sentence), error=error))

    def note(self, found: Iterable[FieldError], headers: Mapping[str, str | None], *, error: bool) -> None:
        """Note bad fields under the headers of their columns."""
        for each in found:
            self.problems.append(problem(headers.get(each.pointer.strip("/")), each, error=error))


def _person(row: _Row, numbers: Numbers) -> Person | None:
    fields: dict[str, Any] = dict.fromkeys(
        ("given_name", "family_name", "document_type", "document_number", "phone", "email", "canton", "address")
    )
    headers: dict[str, str | None] = {}
    before = len(row.problems)
    _name(row, fields, headers)
    _document(row, fields, headers)
    phones = [(column.header, part) for column, text in row.all("phone") for part in _numbers_in(row, column, text)]
    mails = [(column.header, part) for column, text in row.all("email") for part in SEVERAL.split(text) if part]
    if phones:
        headers["phone"], fields["phone"] = phones[0]
    if mails:
        headers["email"], fields["email"] = mails[0]
    _place(row, fields, headers)
    if not any(fields.values()) and len(row.problems) == before:
        return None
    for name in ("given_name", "family_name"):
        if fields[name] is None:
            headers.setdefault(name, headers.get("given_name"))
            sentence = Sentence("A client needs a given name and a family name. Write both.")
            row.note([FieldError(f"/{name}", "required", sentence)], headers, error=True)
            break
    row.note(_misfits(fields, NewClient), headers, error=True)
    checked = check_client(fields, numbers)
    row.note(checked.errors, headers, error=True)
    row.note(checked.warnings, headers, error=False)
    if fields["given_name"] is None or fields["family_name"] is None or any(each.error for each in row.problems):
        return None
    further = [*_further(row, "phone", phones[1:], numbers), *_further(row, "email", mails[1:], numbers)]
    return Person(**checked.fields, further=further)


def _place(row: _Row, fields: dict[str, Any], headers: dict[str, str | None]) -> None:
    headers["address"], headers["canton"] = row.header("address"), row.header("canton")
    fields["address"] = ", ".join(text for _, text in row.all("address")) or None
    canton = row.one("canton")
    if canton is None:
        return
    fields["canton"] = canton if canton in cantons() else _cantons_by_name().get(fold(canton))
    if fields["canton"] is None:
        sentence = Sentence("No canton has this name, or several have it. It is left out.")
        row.odd(headers["canton"], "canton_unknown", sentence)


@cache
def _cantons_by_name() -> dict[str, str]:
    """Codes of cantons whose name no other has, by the name, folded."""
    times = Counter(fold(each.name) for each in cantons().values())
    return {fold(each.name): code for code, each in cantons().items() if times[fold(each.name)] == 1}


def _name(row: _Row, fields: dict[str, Any], headers: dict[str, str | None]) -> None:
    for field in ("given_name", "family_name"):
        cells = row.all(field)
        if cells:
            fields[field], headers[field] = " ".join(text for _, text in cells), cells[0][0].header
            if joins_people(fields[field], alone=field == "given_name"):
                row.odd(headers[field], "several_people", _SEVERAL_PEOPLE, error=True)
    for field in ("name", "name_reversed"):
        whole = row.one(field)
        if whole is None or fields["given_name"] is not None:
            continue
        if names_several(whole, reversed_order=field == "name_reversed"):
            row.odd(row.header(field), "several_people", _SEVERAL_PEOPLE, error=True)
        given, family, unsure = split_name(whole, reversed_order=field == "name_reversed")
        fields["given_name"], fields["family_name"] = given, fields["family_name"] or family
        headers["given_name"] = headers["family_name"] = row.header(field)
        if unsure or JOINED.search(whole):
            sentence = Sentence("Given and family names stand in one cell. Look whether they were told apart rightly.")
            row.odd(row.header(field), "name_split", sentence)


_SEVERAL_PEOPLE = Sentence(
    "Several people stand in one cell. Write one person in each row; the others of a family can be added to the animal"
    " afterwards, as co-owners."
)


def _document(row: _Row, fields: dict[str, Any], headers: dict[str, str | None]) -> None:
    cells = row.all("document")
    if not cells:
        return
    column, text = cells[0]
    number = digits_of(text)
    if shortened(text):
        row.odd(column.header, "shortened", _SHORTENED, error=True)
        return
    plain = "".join(character for character in number if character.isalnum())
    if plain in _FINAL_CONSUMER:
        row.odd(column.header, "final_consumer", Sentence("This is no person's document, and is left out."))
        return
    said = _KINDS.get(fold(row.one("document_type") or ""), column.hint)
    kind = _kind_of(plain, said)
    if plain.isdigit() and (kind, len(plain)) in {("cedula", 9), ("ruc", 12)}:
        number = f"0{plain}"
        row.odd(
            column.header, "zero_added", Sentence("Its first zero was missing, as spreadsheets drop it, and was added.")
        )
    fields["document_type"], fields["document_number"] = kind, number
    headers["document_type"] = headers["document_number"] = column.header


def _kind_of(plain: str, said: str | None) -> str:
    """The kind of a document: by its length where it has digits alone, whatever stands above it."""
    if plain.isdigit() and said != "passport":
        if len(plain) in {12, 13}:
            return "ruc"
        if len(plain) in {9, 10}:
            return "cedula"
    return said or ("cedula" if plain.isdigit() else "passport")


_SHORTENED = Sentence(
    "The spreadsheet has shortened this number, and its last digits are lost. Set the column to text and type it anew."
)


def _numbers_in(row: _Row, column: Column, text: str) -> list[str]:
    if shortened(text):
        row.odd(column.header, "shortened", _SHORTENED, error=True)
        return []
    numbers = []
    for part in phones_of(digits_of(text)):
        number, rest = number_in(part)
        if rest is not None:
            sentence = Sentence("Only the number is kept of it. Left out: {rest}.", rest=rest)
            row.odd(column.header, "beside_number", sentence)
        numbers.append(number)
    return numbers


def _further(row: _Row, kind: str, found: list[tuple[str, str]], numbers: Numbers) -> Iterable[tuple[str, str]]:
    """Phones or mail addresses beyond the first, without those that cannot be right."""
    for header, raw in found:
        fields, errors, _ = check_contact({"kind": kind, "value": raw}, numbers)
        row.note(errors, {"value": header}, error=False)
        if not errors:
            yield kind, fields["value"]


@cache
def _hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


def _misfits(fields: Mapping[str, Any], struct: type[msgspec.Struct]) -> list[FieldError]:
    """The fields that a command would not take as they are: too long, or of another form."""
    found = []
    for name, value in fields.items():
        if value is None:
            continue
        try:
            msgspec.convert(value, _hints(struct)[name], builtin_types=(date,))
        except msgspec.ValidationError:
            sentence = Sentence("It is too long, or not of the form that is needed here.")
            found.append(FieldError(f"/{name}", "malformed", sentence))
    return found


_ANIMALS_FIELDS = ("name", "species", "breed", "sex", "reproductive_status", "birth_date", "age", "color", "chip")


def _animals(row: _Row, group: int, layout: Layout, today: date) -> Iterable[Animal]:
    """The animals of one group of columns: one, or as many as its name cell lists."""
    cells = {field: row.one(field, group) for field in _ANIMALS_FIELDS}
    headers: dict[str, str | None] = {field: row.header(field, group) for field in _ANIMALS_FIELDS}
    unit = next((column.hint for column, _ in row.all("age", group)), None)
    names = [name for name in SEVERAL.split(cells["name"] or "") if name]
    if len(names) > 1:
        sentence = Sentence("Several animals stand in one cell: {count} of them are made.", count=len(names))
        row.odd(headers["name"], "several_animals", sentence)
    for place, name in enumerate(names or [None]):
        given = {field: _part(field, text, place, len(names)) for field, text in cells.items()}
        animal = _animal(row, {**given, "name": name}, headers, unit, layout, today)
        if animal is not None:
            yield animal


def _part(field: str, text: str | None, place: int, count: int) -> str | None:
    """What a cell says of one of the animals that its row lists: its own part, or all of it for each."""
    if text is None or count < 2 or field in {"birth_date", "age"}:
        return text
    parts = SEVERAL.split(text)
    if len(parts) == count:
        return parts[place]
    return None if field == "chip" and place else text


def _animal(
    row: _Row,
    given: Mapping[str, str | None],
    headers: dict[str, str | None],
    unit: str | None,
    layout: Layout,
    today: date,
) -> Animal | None:
    before = len(row.problems)
    fields: dict[str, Any] = {"name": given["name"], "breed": given["breed"], "color": given["color"]}
    if given["name"] is None:
        column = next((header for header in headers.values() if header is not None), None)
        row.odd(
            column,
            "required",
            Sentence("An animal needs a name. Write one, or leave all of its cells blank."),
            error=True,
        )
    _species(row, given["species"], headers, fields)
    _sex(row, given, headers, fields)
    _birth(row, given, headers, unit, layout, today, fields)
    row.note(_misfits(fields, NewPatient), headers, error=True)
    checked, errors = check_patient(fields, today)
    row.note(errors, {**headers, "birth_date": headers["birth_date"] or headers["age"]}, error=True)
    chip = _chip(row, given["chip"], headers["chip"])
    if any(each.error for each in row.problems[before:]):
        return None
    return Animal(**checked, key=fold(checked["name"]), chip=chip)


def _chip(row: _Row, text: str | None, header: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    if shortened(text):
        row.odd(header, "shortened", _SHORTENED, error=True)
        return None
    number = digits_of(text)
    kind = "legacy_chip" if len(re.sub(r"[\W_]", "", number)) in {9, 10} else "iso_chip"
    fields, errors = check_identifier({"kind": kind, "value": number})
    row.note(errors, {"value": header}, error=True)
    return None if errors else fields


def _species(row: _Row, text: str | None, headers: dict[str, str | None], fields: dict[str, Any]) -> None:
    species = None if text is None else species_of(text)
    if text is None:
        row.odd(
            headers["name"],
            "species_required",
            Sentence("An animal needs a species, such as perro or gato."),
            error=True,
        )
    elif species is None:
        sentence = Sentence("This is no species that is known here, so it is taken for another animal.")
        row.odd(headers["species"], "species_unknown", sentence)
    fields["species"] = species or "other"


def _sex(row: _Row, given: Mapping[str, str | None], headers: dict[str, str | None], fields: dict[str, Any]) -> None:
    sex, status = sex_of(given["sex"]) if given["sex"] else (None, None)
    if given["sex"] and sex is None:
        row.odd(headers["sex"], "sex_unknown", Sentence("Write macho or hembra. It is left out."))
    if given["reproductive_status"]:
        status = reproductive_status_of(given["reproductive_status"])
        if status is None:
            row.odd(headers["reproductive_status"], "status_unknown", Sentence("Write sí or no. It is left out."))
    fields["sex"], fields["reproductive_status"] = sex or "unknown", status or "unknown"


def _birth(
    row: _Row,
    given: Mapping[str, str | None],
    headers: dict[str, str | None],
    unit: str | None,
    layout: Layout,
    today: date,
    fields: dict[str, Any],
) -> None:
    fields["birth_date"] = fields["birth_date_precision"] = None
    if given["birth_date"]:
        birth = birth_of(given["birth_date"], layout.date_order, today)
        if birth is None:
            sentence = Sentence("This is no date that can be read. Write day, month and year, such as 14/03/2021.")
            row.odd(headers["birth_date"], "not_a_date", sentence, error=True)
            return
    elif given["age"]:
        birth = born_of_age(given["age"], unit, today)
        if birth is None:
            sentence = Sentence("This is no age that can be read, and is left out. Write it as 3 años or 8 meses.")
            row.odd(headers["age"], "not_an_age", sentence)
            return
    else:
        return
    if birth.oddity is not None:
        row.odd(headers["birth_date"], birth.oddity.code, birth.oddity.sentence)
    fields["birth_date"], fields["birth_date_precision"] = birth.on, birth.precision
