"""The vocabulary of breeds, and which of them a text names."""

from collections.abc import Iterator

from coravet.core.kernel.text import fold
from coravet.core.patients.breed_list import CATS, DOGS
from coravet.core.patients.model import Species
from coravet.core.patients.views import BreedsView, BreedView

ATTRIBUTION = (
    "Codes and English names: Vertebrate Breed Ontology (VBO), Monarch Initiative and OMIA, CC BY 4.0,"
    " https://github.com/monarch-initiative/vertebrate-breed-ontology. Chosen and named in Spanish by CoraVet."
)


def _read(species: Species, lines: str) -> Iterator[tuple[BreedView, list[str]]]:
    """Each breed of a list with every name it goes by."""
    for line in lines.strip().splitlines():
        code, english, spanish, further = line.split("|")
        names = [spanish, english, *further.split(",")]
        if ", " in english:
            names.append(" ".join(reversed(english.split(", "))))
        yield BreedView(code, species, spanish, english), [name for name in map(fold, names) if name]


_BREEDS = [*_read("dog", DOGS), *_read("cat", CATS)]
_BY_NAME = {(breed.species, name): breed.code for breed, names in _BREEDS for name in names}


def breeds(species: Species | None) -> BreedsView:
    """The vocabulary by Spanish name, of one species where given; species other than dogs and cats have none."""
    found = [breed for breed, _ in _BREEDS if species in {None, breed.species}]
    return BreedsView(sorted(found, key=lambda breed: (breed.species, fold(breed.name))), ATTRIBUTION)


def breed_code(species: str, breed: str | None) -> str | None:
    """The code of the breed that a text names by its Spanish, English or a usual name; accents and case do not matter.

    None where it names none that is known: what people write is kept as they wrote it.
    """
    return None if breed is None else _BY_NAME.get((species, fold(breed)))
