"""Cutting a person out of text that is kept for somebody else."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from coravet.core.kernel.text import fold
from coravet.core.privacy.erasure_ports import ERASED, Person

Cut = Callable[[str], str]

_PARTICLES = frozenset("de del la las los y e da das do dos san santa von van".split())  # noqa: SIM905 -- as read
# Names of people here that are words of notes as well; where one stands alone more has to tell that it is a name.
_WORDS = frozenset(
    """abril aguila agosto aguirre alba alegre alma amable amada amado angustias araya arena arenas armas arroyo
    asuncion aurora ayuda azucena azul banderas barba barbero barco barreto barriga barrios bella bello blanca blanco
    bosque bravo bueno buena cabello cabeza cabra cadena calderon calle calva calvo camino campo campos candela canela
    cano caridad carmen carrera carrero casa casas casta castano castillo casto celeste cereza cerro chica chico
    ciervo cielo clara claro clavel clavo clemente clavijo conde conejo consuelo concepcion coral cordero corona
    cortes corto cortez costa costilla crespo cruz cuellar cuello cuenca cuesta cueva cuevas delgada delgado dolores
    domingo dulce duque encarnacion enero enriquecida esmeralda esperanza espejo espina espinal espinosa estrella
    feliz fe fiel flor flora flores florida franca franco fuente fuentes fuerte gallardo gallego gallo garza gata gato
    gema gloria gordo gorda grande granada grueso guerra guerrero hernia herrera herrero hidalgo hierro hoyos hueso
    huerta humano iglesia inmaculada inocente iris izquierdo jazmin jardin juguete julio junio justa justo jara lago
    laguna lara leal leche ledo leon linda lindo limon llanos lobo loba loma lomas lucero luna luz macias maduro
    maldonado mano manso manzano mar marina marino marmol martes marzo mata matas mayo mayor media medina melon mendo
    menta mercado mercedes mesa milagro milagros molina molino monte montes mora mora morales moreno moran mota muela
    naranjo negra negro nieve nieves nina nino noble norte noches nube oliva olivo olmo oro osa oso ojeda palma palacio
    palacios paloma pan paredes pardo parra pastor pata paz pena penas perla perro pie piedra pies pilar pina pinto
    pino plata plaza polo ponce pozo prado prieto primavera puente puerta puertas punto quinto ramos rayo real recalde
    reina remedios rey reyes rica rico rios rio rivera roble robles roca rocio roja rojas rojo rosa rosado rosada
    rosales rosario rubi rubia rubio rueda sabina sacramento sal salud salva salvador sangre santos seco segura seguro
    serena sereno severa severo sierra sol soledad soto suave suero tierra tobar tomas toro toros torre torres trigo
    trueno uva vaca vacas valle valles vara varela varon vega vela venas vena ventana ventura vera verano verde
    vergara vida victoria vientos villa vino violeta virtudes zapata zapatero zarza""".split()  # noqa: SIM905 -- as read
)
_BEFORE_NAMES = (
    "sr sra srta senor senora senorita don dona tutor tutora dueno duena propietario propietaria cliente clienta"
    " responsable cuidador cuidadora familia mr mrs ms owner client"
)
_TITLE = re.compile(rf"(?<![^\W_])(?:{'|'.join(_BEFORE_NAMES.split())})[.:,]?\s{{1,3}}\Z")
_LEAST_LETTERS = 3
_LEAST_JOINED = 8
_LEAST_DIGITS = 7
# Each bounded, so that a long run of signs costs no more than the run.
_BLANKS = r"[\s.,_-]{1,8}"
_MAYBE_BLANKS = r"[\s.,_-]{0,8}"
_PARTING = r"[\s.,;:/#_-]{1,8}"
_SIGNS = r"[\s().\-/_]{0,4}"
_APOSTROPHE = "['\u2019\u02bc`\u00b4]"
_BETWEEN = re.compile(r"[\s,.\-]*")
_OPENING = re.compile(r"(?:\A|[.!?:;\n\u2022*])[\s\"'()\u00a1\u00bf\u00ab\u201c\-]*\Z")
_LOOK_BACK = 24


def cutter(person: Person, spared: Iterable[str] = (), *, alone: bool = True) -> Cut:
    """What cuts a person out of a text: whatever names them becomes `[eliminado]`, and nothing else changes.

    Names are found whatever their accents and case, phones and documents whatever signs part their digits. A single
    name that is a word of notes as well, or of two letters, is cut only where something tells that it is a name: a
    title before it, another of the person's names beside it, or a capital where none begins a sentence.

    Args:
        spared: names of those whom the text is kept for, of the animal, and of who works in the clinic. A word of
            theirs is cut only where it stands within the person's whole name.
        alone: whether single names and places are cut, too. Without them one of several words, a number or a mail
            address has to stand there, which nobody else's text holds by chance.
    """
    sure = _any_of(_sure(person, alone=alone))
    singles = _singles(person, spared) if alone else set()
    single = _any_of(_word(_spelt(piece)) for piece in sorted(singles, key=len, reverse=True))

    def cut(text: str) -> str:
        folded, places = _folded(text)
        found = [(each.start(), each.end()) for each in sure.finditer(folded)]
        if singles:
            found = _with_singles(folded, found, [each.span() for each in single.finditer(folded)], text, places)
        kept: list[str] = []
        end = 0
        for first, last in found:
            begins, ends = places[first], places[last]
            between = text[end:begins]
            # Names that follow each other are one.
            if not (kept and _BETWEEN.fullmatch(between)):
                kept += [between, ERASED]
            end = ends
        return "".join([*kept, text[end:]])

    return cut


def sought(person: Person) -> set[str]:
    """What a text has to hold, all but its letters and digits taken away, for `cutter(…, alone=False)` to cut it."""
    texts = {"".join(name) for name in _whole(person.names)}
    texts |= {fold(each) for each in person.others if "@" in each}
    texts |= {each[:10] if each.isdigit() else fold(each) for each in person.documents}
    texts |= {_local(each) or _national(each) for each in person.phones}
    for each in person.also:
        digits = _as_phone(re.sub(r"\D", "", each))
        texts.add((_local(digits) or _national(digits))[:10] if _is_number(each) else fold(each))
    found = {re.sub(r"[\W_]", "", text) for text in texts}
    return {text for text in found if len(text) >= _LEAST_LETTERS}


def without(person: Person, namesakes: Iterable[tuple[str, str]]) -> Person:
    """The person without the names that are another's in full, too."""
    taken = _whole(namesakes)
    return Person(
        names=[pair for pair in person.names if not _whole([pair]) & taken],
        documents=person.documents,
        phones=person.phones,
        others=person.others,
        also=person.also,
    )


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns) or r"(?!)")


def _with_singles(
    folded: str, sure: list[tuple[int, int]], singles: list[tuple[int, int]], text: str, places: list[int]
) -> list[tuple[int, int]]:
    """All spans in their order: the sure ones, and single names that are names where they stand."""
    within = {place for first, last in sure for place in range(first, last)}
    others = [(first, last) for first, last in singles if first not in within]
    merged = sorted([*sure, *others])
    certain = set(sure)
    found: list[tuple[int, int]] = []
    for place, (first, last) in enumerate(merged):
        word = re.sub(_APOSTROPHE, "", folded[first:last])
        beside = (place > 0 and _beside(folded[merged[place - 1][1] : first])) or (
            place + 1 < len(merged) and _beside(folded[last : merged[place + 1][0]])
        )
        distinct = len(word) >= _LEAST_LETTERS and word not in _WORDS
        if (first, last) in certain or distinct or beside or _is_name(text, places[first], places[last], word):
            found.append((first, last))
    return found


def _beside(between: str) -> bool:
    return len(between) < _LEAST_JOINED and between.isspace() and "\n" not in between


def _is_name(text: str, first: int, last: int, word: str) -> bool:
    """Whether a word of notes is somebody's name where it stands."""
    before, here, after = text[max(0, first - _LOOK_BACK) : first], text[first:last], text[last : last + _LOOK_BACK]
    if _TITLE.search(fold(before) + " " * before[-1:].isspace()):
        return True
    if not here[:1].isupper() or (len(word) < _LEAST_LETTERS and here.isupper()):
        return False
    if here.isupper() and any(len(each) > 1 and each.isupper() for each in (*before.split()[-1:], *after.split()[:1])):
        return False  # all of the text is in capitals
    return not _OPENING.search(before)


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as `fold` compares it, blanks left as they are, without what nobody sees, and where each letter is."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if unicodedata.category(character) == "Cf":
            continue
        for letter in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(letter):
                letters.append(letter)
                places.append(place)
    return "".join(letters), [*places, len(text)]


def _sure(person: Person, *, alone: bool) -> Iterator[str]:
    """What names the person wherever it stands in folded text: the whole before its parts."""
    for name in sorted(_whole(person.names), key=len, reverse=True):
        joined = len("".join(name)) >= _LEAST_JOINED
        yield _word((_MAYBE_BLANKS if joined else _BLANKS).join(map(_spelt, name)))
    if alone:
        for several in {_pieces(name) for pair in person.names for name in pair}:
            if len(several) > 1 and len("".join(several)) >= _LEAST_JOINED:
                yield _word("".join(map(_spelt, several)))
    for text in sorted({*person.others, *person.also}, key=len, reverse=True):
        parts = [part for part in re.split(_PARTING, fold(text)) if part]
        mail = "@" in text
        asked = text in person.also and (alone or len(parts) > 1 or any(map(str.isdigit, text)))
        place = alone and text in person.others and (len(parts) > 1 or any(map(str.isdigit, text)))
        if parts and (mail or asked or place):
            yield _word(_PARTING.join(map(re.escape, parts)))
    numbers = [re.sub(r"\D", "", text) for text in person.also if _is_number(text)]
    for phone in (*person.phones, *map(_as_phone, numbers)):
        if re.search(r"\d", phone):
            yield from _phone(phone)
    for number in (*person.documents, *numbers):
        yield from _document(number)


def _singles(person: Person, spared: Iterable[str]) -> set[str]:
    theirs = {piece for name in spared for piece in _pieces(name)} | _PARTICLES
    alone = {piece for pair in person.names for name in pair for piece in _pieces(name)} - theirs
    return {piece for piece in alone if len(piece) > 1}


def _whole(names: Iterable[tuple[str, str]]) -> set[tuple[str, ...]]:
    """How people are named in full: by all of their names or the first of either, in either order."""
    found = set()
    for pair in names:
        first, last = map(_pieces, pair)
        for one, other in ((first, last), (first[:1], last), (first[:1], last[:1]), (first, last[:1])):
            if one and other:
                found |= {(*one, *other), (*other, *one)}
    return found


def _pieces(name: str) -> tuple[str, ...]:
    """The words of a name, folded, each without its apostrophes."""
    return tuple(piece for piece in re.split(_BLANKS, re.sub(_APOSTROPHE, "", fold(name))) if piece)


def _spelt(piece: str) -> str:
    """A word of a name, with or without an apostrophe anywhere."""
    return f"{_APOSTROPHE}?".join(map(re.escape, piece))


def _word(pattern: str) -> str:
    return rf"(?<![^\W_]){pattern}(?![^\W_])"


def _is_number(text: str) -> bool:
    return not any(map(str.isalpha, text)) and len(re.sub(r"\D", "", text)) >= _LEAST_DIGITS


def _as_phone(digits: str) -> str:
    """Digits as somebody writes a phone of this country, as it is stored."""
    if digits.startswith("593") and len(digits) in {11, 12}:
        return f"+{digits}"
    return f"+593{digits[1:]}" if digits.startswith("0") and len(digits) in {9, 10} else digits


def _national(phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    return digits.removeprefix("593") if phone.startswith("+593") else digits


def _local(phone: str) -> str:
    """A fixed line's number as its neighbours dial it, without the province's digit; of others nothing."""
    national = _national(phone)
    return national[1:] if phone.startswith("+593") and len(national) == _LEAST_DIGITS + 1 else ""


def _phone(phone: str) -> Iterator[str]:
    national = _national(phone)
    country = r"(?:\+|00)?"
    if phone.startswith("+593"):
        country = rf"(?:(?:(?:\+|00){_SIGNS})?593{_SIGNS})?(?:0{_SIGNS})?"
    yield rf"(?<!\d){country}{_SIGNS.join(national)}(?!\d)"
    if local := _local(phone):
        # After another province's digit it is another's.
        yield rf"(?<!\d)(?<!\d[\s.\-/)_])(?<!\d\)\s){_SIGNS.join(local)}(?!\d)"


def _document(number: str) -> Iterator[str]:
    """The number however its characters are parted; a person's RUC is their cédula and an establishment."""
    signs = r"[\s.\-/]{0,4}"
    if number.isdigit() and len(number) in {10, 13}:
        yield rf"(?<!\d){signs.join(number[:10])}(?:{signs}{signs.join('001')}|[.\-/]?\d{{3}})?(?!\d)"
    yield _word(signs.join(map(re.escape, fold(number))))
