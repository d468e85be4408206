"""Who the people in the rows are: clients of the clinic, of rows above, or new ones. And which animals are there."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from coravet.core.exchange.model import Animal, Outcome, Person, Problem, Row, problem
from coravet.core.exchange.names import alike
from coravet.core.exchange.ports import KnownAnimal, KnownClient, Neighbours
from coravet.core.exchange.rows import Interpreted
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.text import fold
from coravet.core.patients.duplicates import same_documents


def document_keys(person: Person) -> list[str]:
    """A person's document as rows are looked up by it, and those that name the same person."""
    kind, number = person.document_type, person.document_number
    return [] if kind is None or number is None else [":".join(each) for each in same_documents(kind, number)]


def phones(person: Person) -> list[str]:
    """All phones of a person."""
    further = [value for kind, value in person.further if kind == "phone"]
    return [each for each in (person.phone, *further) if each is not None]


def folded_name(person: Person) -> str:
    """The person's names as two are compared."""
    return fold(f"{person.given_name} {person.family_name}")


class _Met(msgspec.Struct):
    """A client as far as the rows and the clinic tell."""

    client_id: UUID
    known: bool
    first_row: int | None
    names: list[str]
    documents: set[str]


class _Registry:
    """The clients that rows may mean, by document and by phone."""

    def __init__(self, found: Sequence[KnownClient]) -> None:
        self._met: dict[UUID, _Met] = {}
        self._by_document: dict[str, UUID] = {}
        self._by_phone: defaultdict[str, dict[UUID, None]] = defaultdict(dict)
        for each in found:
            met = self._met.setdefault(each.client_id, _Met(each.client_id, each.known, each.first_row, [], set()))
            if met.first_row is None:
                met.first_row = each.first_row
            self._note(met, each.name, each.document, each.phones)

    def find(self, person: Person) -> _Met | None:
        """Who it is: by document, or by phone and name, for families share phones. One of another document is not."""
        documents = document_keys(person)
        for document in documents:
            if document in self._by_document:
                return self._met[self._by_document[document]]
        name = folded_name(person)
        for phone in phones(person):
            for client_id in self._by_phone[phone]:
                met = self._met[client_id]
                stranger = documents and met.documents
                if not stranger and any(alike(name, other) for other in met.names):
                    return met
        return None

    def met(self, row: int, person: Person, found: _Met | None, new_id: Callable[[], UUID]) -> _Met:
        """Remember what the row tells of its client."""
        found = found or _Met(new_id(), False, row, [], set())
        self._met.setdefault(found.client_id, found)
        if found.first_row is None:
            found.first_row = row
        own = document_keys(person)
        self._note(found, folded_name(person), own[0] if own else None, phones(person))
        return found

    def _note(self, met: _Met, name: str, document: str | None, numbers: list[str]) -> None:
        met.names.append(name)
        if document is not None:
            met.documents.add(document)
            self._by_document.setdefault(document, met.client_id)
        for number in numbers:
            self._by_phone[number][met.client_id] = None


async def match(
    import_id: UUID, given: Sequence[Interpreted], neighbours: Neighbours, new_id: Callable[[], UUID]
) -> list[Row]:
    """What will come of rows that follow each other, seen with the clinic's clients and the rows above."""
    people = [each.person for each in given if each.person is not None and each.sound]
    documents = {key for each in people for key in document_keys(each)}
    numbers = {number for each in people for number in phones(each)}
    registry = _Registry(await neighbours.clients(import_id, documents, numbers))
    above = await neighbours.last(import_id)
    last = _above(above) if above is not None else None
    rows: list[Row] = []
    for each in given:
        row, last = _row(each, registry, last, new_id)
        rows.append(row)
    client_ids = {row.client_id for row in rows if row.client_id is not None and row.animals}
    there = await neighbours.animals(import_id, client_ids) if client_ids else []
    chips = {animal.chip["value_key"] for row in rows for animal in row.animals if animal.chip}
    taken = await neighbours.chips(import_id, chips) if chips else set()
    return _with_animals(rows, there, taken)


def _above(row: Row) -> _Met | None:
    """The client of the row above, as far as that row tells."""
    if row.client_id is None:
        return None
    return _Met(row.client_id, row.known, row.first_row, [folded_name(row.person)] if row.person else [], set())


def _row(
    given: Interpreted, registry: _Registry, last: _Met | None, new_id: Callable[[], UUID]
) -> tuple[Row, _Met | None]:
    problems = given.problems
    if given.sound and given.person is None and last is None:
        sentence = Sentence("This row names no client, and the row above cannot be imported or names none, either.")
        problems = [*problems, problem(None, FieldError("", "client_required", sentence))]
    if any(each.error for each in problems):
        return Row(number=given.number, outcome="error", person=given.person, problems=problems), None
    if given.person is None and last is not None:
        sentence = Sentence("This row names no client, so it is taken for one more of the client in the row above.")
        odd = problem(None, FieldError("", "client_above", sentence), error=False)
        return _sound(given, last, "merged", [*problems, odd]), last
    if given.person is None:
        raise ValueError("a row without a client that is no error")
    found = registry.find(given.person) or _same_as(last, given.person)
    outcome: Outcome = "created"
    if found is not None:
        outcome = "matched" if found.known else "merged"
    met = registry.met(given.number, given.person, found, new_id)
    return _sound(given, met, outcome, problems), met


def _same_as(last: _Met | None, person: Person) -> _Met | None:
    """The client of the row above, where this one writes the same name and nothing that tells people apart."""
    bare = person.document_number is None and not phones(person)
    return last if bare and last is not None and folded_name(person) in last.names else None


def _sound(given: Interpreted, met: _Met, outcome: Outcome, problems: list[Problem]) -> Row:
    return Row(
        number=given.number,
        outcome=outcome,
        client_id=met.client_id,
        known=met.known,
        first_row=met.first_row,
        person=given.person,
        animals=given.animals,
        problems=problems,
    )


def _with_animals(rows: list[Row], there: Sequence[KnownAnimal], taken: set[str]) -> list[Row]:
    """The rows with those animals marked that exist, and without chips that another animal has."""
    seen = {(each.client_id, each.key, each.species) for each in there}
    found = []
    for row in rows:
        animals: list[Animal] = []
        problems = list(row.problems)
        for animal in row.animals:
            key = (row.client_id, animal.key, animal.species)
            if row.client_id is not None and key in seen:
                animals.append(msgspec.structs.replace(animal, exists=True, chip=None))
                continue
            if row.client_id is not None:
                seen.add((row.client_id, animal.key, animal.species))
            if animal.chip and animal.chip["value_key"] in taken:
                sentence = Sentence("Another animal has this chip, so that it is left out. Read it again.")
                problems.append(problem(None, FieldError("", "chip_taken", sentence), error=False))
                animals.append(msgspec.structs.replace(animal, chip=None))
                continue
            if animal.chip:
                taken.add(animal.chip["value_key"])
            animals.append(animal)
        found.append(msgspec.structs.replace(row, animals=animals, problems=problems))
    return found
