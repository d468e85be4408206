"""Who the people in the rows are: clients of the clinic, of rows above, or new ones. And which animals are there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from uuid import UUID

import msgspec

from coravet.core.exchange.model import Animal, Outcome, Person, Problem, Row, problem
from coravet.core.exchange.names import alike
from coravet.core.exchange.ports import KnownAnimal, KnownClient, Neighbours, Sought
from coravet.core.exchange.rows import Interpreted
from coravet.core.exchange.values import word_of
from coravet.core.kernel.errors import FieldError
from coravet.core.kernel.sentences import Sentence
from coravet.core.kernel.text import fold
from coravet.core.patients.duplicates import same_documents


def document_keys(person: Person) -> list[str]:
    """A person's document as rows are looked up by it, and those that name the same person."""
    kind, number = person.document_type, person.document_number
    return [] if kind is None or number is None else [":".join(each) for each in same_documents(kind, number)]


def folded_name(person: Person) -> str:
    """The person's names as two are compared."""
    return fold(person.name)


def sought(people: Iterable[Person]) -> Sought:
    """What these people may be known by: by the name where nothing else is written."""
    given = list(people)
    return Sought(
        documents={key for each in given for key in document_keys(each)},
        phones={number for each in given for number in each.phones()},
        names={folded_name(each) for each in given if each.bare},
    )


class Sights:
    """What the clinic alone has that bears upon rows. What a row saw when it was checked, it must see when applied."""

    def __init__(self, clients: Sequence[KnownClient], animals: Sequence[KnownAnimal]) -> None:
        self._clients: defaultdict[str, list[str]] = defaultdict(list)
        for each in clients:
            if each.row is not None:
                continue
            shown = f"{each.client_id} {fold(each.name)} {each.document}"
            for key in filter(None, {each.document, *each.phones, fold(each.name)}):
                self._clients[key].append(shown)
        self._animals: defaultdict[UUID, list[str]] = defaultdict(list)
        for animal in animals:
            if not animal.above:
                self._animals[animal.client_id].append(repr(animal))

    def of(self, row: Row) -> str | None:
        """A digest of what bears upon this row; None where nothing does."""
        person = row.person
        keys: list[str] = []
        if person is not None:
            keys = [*document_keys(person), *person.phones(), *([folded_name(person)] if person.bare else [])]
        found = {shown for key in keys for shown in self._clients.get(key, ())}
        if row.known and row.client_id is not None and row.animals:
            found.update(self._animals.get(row.client_id, ()))
        return sha256("\n".join(sorted(found)).encode()).hexdigest() if found else None


class _Met(msgspec.Struct):
    """A client as far as the rows and the clinic tell.

    Attributes:
        shown: the name as it was first written.
        kept: documents, phones and mail addresses that the clinic has of them.
    """

    client_id: UUID
    known: bool
    first_row: int | None
    shown: str
    names: list[str]
    documents: set[str]
    kept: set[str]


class _Registry:
    """The clients that rows may mean, by document and by phone."""

    def __init__(self, found: Sequence[KnownClient]) -> None:
        self._met: dict[UUID, _Met] = {}
        self._by_document: dict[str, UUID] = {}
        self._by_phone: defaultdict[str, dict[UUID, None]] = defaultdict(dict)
        self._named: set[str] = set()
        for each in found:
            fresh = _Met(each.client_id, each.known, each.first_row, each.name, [], set(), set())
            met = self._met.setdefault(each.client_id, fresh)
            if met.first_row is None:
                met.first_row = each.first_row
            self._note(met, fold(each.name), each.document, each.phones)
            if each.row is None:
                self._named.add(fold(each.name))
                met.kept.update(filter(None, (each.document, *each.phones, *map(fold, each.mails))))

    def of(self, client_id: UUID) -> _Met | None:
        """A client by id."""
        return self._met.get(client_id)

    def find(self, person: Person) -> tuple[_Met | None, Problem | None]:
        """Who it is: by document, or by phone and name, for families share phones. One of another document is not.

        A document that somebody of quite another name has is an error: the one or the other is wrong.
        """
        documents, name = document_keys(person), folded_name(person)
        for document in documents:
            if document in self._by_document:
                met = self._met[self._by_document[document]]
                return (met, None) if _is_one_of(name, met) else (None, _of_another(met, person))
        for phone in person.phones():
            for client_id in self._by_phone[phone]:
                met = self._met[client_id]
                stranger = documents and met.documents
                if not stranger and _is_one_of(name, met):
                    return met, None
        return None, None

    def namesake(self, person: Person) -> bool:
        """Whether the clinic has a client of this name, and the row nothing else that tells who it is."""
        return person.bare and folded_name(person) in self._named

    def met(self, row: int, person: Person, found: _Met | None, new_id: Callable[[], UUID]) -> _Met:
        """Remember what the row tells of its client."""
        found = found or _Met(new_id(), False, row, person.name, [], set(), set())
        self._met.setdefault(found.client_id, found)
        if found.first_row is None:
            found.first_row = row
        own = document_keys(person)
        self._note(found, folded_name(person), own[0] if own else None, person.phones())
        return found

    def _note(self, met: _Met, name: str, document: str | None, numbers: list[str]) -> None:
        met.names.append(name)
        if document is not None:
            met.documents.add(document)
            self._by_document.setdefault(document, met.client_id)
        for number in numbers:
            self._by_phone[number][met.client_id] = None


def _is_one_of(name: str, met: _Met) -> bool:
    return any(alike(name, other) for other in met.names)


def _of_another(met: _Met, person: Person) -> Problem:
    if met.known:
        sentence = Sentence(
            "The client {name} has this document, and this row writes it beside the name {other}. Find out whose it is,"
            " and mend the row or the client.",
            name=met.shown,
            other=person.name,
        )
    else:
        sentence = Sentence(
            "Row {row} writes this document beside the name {name}, and this row beside {other}. Find out whose it is,"
            " and mend the other row.",
            row=met.first_row,
            name=met.shown,
            other=person.name,
        )
    return problem(None, FieldError("", "document_of_another", sentence))


async def match(
    import_id: UUID, given: Sequence[Interpreted], neighbours: Neighbours, new_id: Callable[[], UUID]
) -> list[Row]:
    """What will come of rows that follow each other, seen with the clinic's clients and the rows above.

    That is the same however many rows are looked at together.
    """
    above = await neighbours.last(import_id)
    there = await neighbours.clients(
        import_id,
        sought(each.person for each in given if each.person is not None and each.sound),
        [] if above is None or above.client_id is None else [above.client_id],
    )
    registry = _Registry(there)
    last = None if above is None or above.client_id is None else registry.of(above.client_id)
    rows: list[Row] = []
    for each in given:
        row, last = _row(each, registry, last, new_id)
        rows.append(row)
    client_ids = {row.client_id for row in rows if row.client_id is not None and row.animals}
    animals = await neighbours.animals(import_id, client_ids) if client_ids else []
    chips = {chip for row in rows for animal in row.animals for chip in animal.chips()}
    taken = await neighbours.chips(import_id, chips) if chips else set()
    sights = Sights(there, animals)
    return [msgspec.structs.replace(row, seen=sights.of(row)) for row in _with_animals(rows, animals, taken)]


def _row(
    given: Interpreted, registry: _Registry, last: _Met | None, new_id: Callable[[], UUID]
) -> tuple[Row, _Met | None]:
    problems = given.problems
    if given.sound and given.person is None and last is None:
        sentence = Sentence("This row names no client, and the row above cannot be imported or names none, either.")
        problems = [*problems, problem(None, FieldError("", "client_required", sentence))]
    found = None
    if given.sound and given.person is not None:
        found, wrong = registry.find(given.person)
        problems = problems if wrong is None else [*problems, wrong]
    if any(each.error for each in problems):
        return Row(number=given.number, outcome="error", person=given.person, problems=problems), None
    if given.person is None and last is not None:
        sentence = Sentence("This row names no client, so it is taken for one more of the client in the row above.")
        odd = problem(None, FieldError("", "client_above", sentence), error=False)
        return _sound(given, last, "merged", [*problems, odd]), last
    if given.person is None:
        raise ValueError("a row without a client that is no error")
    found = found or _same_as(last, given.person)
    outcome: Outcome = "created"
    if found is not None:
        outcome = "matched" if found.known else "merged"
    if found is None and registry.namesake(given.person):
        sentence = Sentence(
            "A client of this name is registered already, and the row has neither document nor phone that tells whether"
            " it is the same person. A new client is made."
        )
        problems = [*problems, problem(None, FieldError("", "name_known", sentence), error=False)]
    if found is not None and found.known:
        problems = [*problems, *_not_kept(_beyond(given.person, found.kept))]
    met = registry.met(given.number, given.person, found, new_id)
    return _sound(given, met, outcome, problems), met


def _beyond(person: Person, kept: set[str]) -> list[str]:
    """What a row says of a client whom the clinic knows, and the clinic has not."""
    documents = document_keys(person)
    own = [person.document_number] if person.document_number and not kept.intersection(documents) else []
    return [*own, *(value for value in person.reached_by() if fold(value) not in kept)]


def _not_kept(values: Sequence[str]) -> list[Problem]:
    if not values:
        return []
    sentence = Sentence(
        "What is known already stays as it is. Not taken from this row: {values}.", values=", ".join(values)
    )
    return [problem(None, FieldError("", "not_kept", sentence), error=False)]


def _same_as(last: _Met | None, person: Person) -> _Met | None:
    """The client of the row above, where this one writes the same name and nothing that tells people apart."""
    return last if person.bare and last is not None and folded_name(person) in last.names else None


def _sound(given: Interpreted, met: _Met, outcome: Outcome, problems: list[Problem]) -> Row:
    return Row(
        number=given.number,
        outcome=outcome,
        client_id=met.client_id,
        known=met.known,
        known_as=met.shown if met.known else None,
        first_row=met.first_row,
        person=given.person,
        animals=given.animals,
        problems=problems,
    )


def _with_animals(rows: list[Row], there: Sequence[KnownAnimal], taken: set[str]) -> list[Row]:
    """The rows with those animals marked that exist, and without chips that another animal has."""
    seen: defaultdict[tuple[UUID, str, str], list[KnownAnimal]] = defaultdict(list)
    for each in there:
        seen[each.client_id, each.animal.key, each.animal.species].append(each)
    found = []
    for row in rows:
        if row.client_id is None:
            found.append(row)
            continue
        animals: list[Animal] = []
        problems = list(row.problems)
        fresh: list[KnownAnimal] = []  # two that one row lists are two animals
        for animal in row.animals:
            namesakes = seen[row.client_id, animal.key, animal.species]
            marked, odd = _seen(animal, namesakes)
            if not marked.exists and marked.chip:
                chip = marked.chip["value_key"]
                if chip in taken:
                    sentence = Sentence("Another animal has this chip, so that it is left out. Read it again.")
                    odd.append(problem(None, FieldError("", "chip_taken", sentence), error=False))
                    marked = msgspec.structs.replace(marked, chip=None)
                else:
                    taken.add(chip)
            if not marked.exists:
                fresh.append(KnownAnimal(row.client_id, marked, marked.chips(), dead=False, above=True))
            animals.append(marked)
            problems += odd
        for each in fresh:
            seen[row.client_id, each.animal.key, each.animal.species].append(each)
        found.append(msgspec.structs.replace(row, animals=animals, problems=problems))
    return found


def _seen(animal: Animal, namesakes: Sequence[KnownAnimal]) -> tuple[Animal, list[Problem]]:
    """The animal, marked where it exists, and what is odd about that."""
    same = min((each for each in namesakes if is_same(animal, each)), key=lambda each: each.dead, default=None)
    if same is None:
        if not namesakes:
            return animal, []
        sentence = Sentence(
            "This client has another animal called {name}, with another chip or birth date. A new one is made.",
            name=animal.name,
        )
        return animal, [problem(None, FieldError("", "same_name", sentence), error=False)]
    odd = []
    if same.dead:
        sentence = Sentence(
            "{name} is registered as deceased, and stays so. If this is another animal, write its birth date or chip.",
            name=animal.name,
        )
        odd.append(problem(None, FieldError("", "deceased", sentence), error=False))
    odd += _not_kept(_more(animal, same))
    return msgspec.structs.replace(animal, exists=True, chip=None), odd


def is_same(animal: Animal, known: KnownAnimal) -> bool:
    """Whether an animal of the same name, species and owner is this one: not with another chip, or birth date."""
    for chip in animal.chips():
        if chip in known.chips:
            return True
        if any((len(each) == 15) == (len(chip) == 15) for each in known.chips):  # an old chip may stay beside a new one
            return False
    one, other = animal.birth_date, known.animal.birth_date
    precisions = {animal.birth_date_precision, known.animal.birth_date_precision}
    if one is None or other is None or "estimated" in precisions:
        return True
    parts = 1 if "year" in precisions else 2 if "month" in precisions else 3
    return one.timetuple()[:parts] == other.timetuple()[:parts]


def _more(animal: Animal, same: KnownAnimal) -> list[str]:
    """What a row says of an animal that is known, and is not known of it."""
    known = same.animal
    said = [
        (animal.breed, known.breed),
        (animal.color, known.color),
        (word_of(animal.sex), word_of(known.sex)),
        (word_of(animal.reproductive_status), word_of(known.reproductive_status)),
        (animal.birth_date and f"{animal.birth_date:%d/%m/%Y}", known.birth_date and f"{known.birth_date:%d/%m/%Y}"),
    ]
    more = [one for one, other in said if one and fold(one) != fold(other or "")]
    if animal.chip and animal.chip["value_key"] not in same.chips:
        more.append(animal.chip["value"])
    return more
