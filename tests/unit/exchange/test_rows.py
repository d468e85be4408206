"""What a row says: columns by their words, dates in either order, families in one row, and what is wrong where."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coravet.adapters.numbers.ecuador import EcuadorNumbers
from coravet.core.exchange.columns import columns_of
from coravet.core.exchange.layouts import LayoutSurvey, Unreadable
from coravet.core.exchange.names import alike, split_name
from coravet.core.exchange.reading import RecordReader
from coravet.core.exchange.rows import Interpreted, interpret
from coravet.core.exchange.values import birth_of, born_of_age, phones_of, species_of

TODAY = date(2026, 11, 23)
NUMBERS = EcuadorNumbers()


def read(text: str) -> list[Interpreted]:
    """What the rows of a file say."""
    data = text.encode()
    survey = LayoutSurvey(data, "utf-8-sig")
    survey.feed(data)
    layout = survey.result()
    reader = RecordReader("utf-8-sig", layout.separator, layout.width)
    records = [*reader.feed(data), *reader.finish()]
    rows = [interpret(each, layout, NUMBERS, TODAY) for each in records if each.number > layout.header]
    return [row for row in rows if row is not None]


def one(header: str, row: str) -> Interpreted:
    """What one row says."""
    [found] = read(f"{header}\n{row}\n")
    return found


def codes(row: Interpreted) -> list[tuple[str | None, str]]:
    """What is wrong or odd, and in which column."""
    return [(each.column, each.code) for each in row.problems]


@pytest.mark.parametrize(
    ("headers", "meant"),
    [
        ("Propietario;Nombre;Especie;F. Nac.", ["name", "name1", "species1", "birth_date1"]),
        ("Nombre;Apellidos;CI/RUC;Celular", ["given_name", "family_name", "document", "phone"]),
        ("NOMBRE Y APELLIDO;Fono 1;Fono 2;MASCOTA", ["name", "phone", "phone", "name1"]),
        ("Nombres del dueño;Nombre de la mascota;Tipo;Esterilizado/a", ["name", "name1", "species1",
                                                                      "reproductive_status1"]),
        ("Cliente;Mascota 1;Raza 1;Mascota 2;Raza 2", ["name", "name1", "breed1", "name2", "breed2"]),
        ("Cliente;Mascota;Raza;Mascota;Raza", ["name", "name1", "breed1", "name2", "breed2"]),
        ("Apellidos y Nombres;N° de Cédula;Dirección;Cantón;Saldo", ["name_reversed", "document", "address", "canton",
                                                                     None]),
    ],
)  # fmt: skip
def test_columns(headers: str, meant: list[str | None]) -> None:
    """Columns are known by the words that clinics write above them; the others are left out."""
    found = columns_of(headers.split(";"))
    assert [each.field and f"{each.field}{each.animal or ''}" for each in found] == meant


@pytest.mark.parametrize(
    ("text", "born", "precision"),
    [
        ("03/04/2019", date(2019, 4, 3), "day"),
        ("2019-04-03", date(2019, 4, 3), "day"),
        ("3.4.19", date(2019, 4, 3), "day"),
        ("1/2/98", date(1998, 2, 1), "day"),
        ("43558", date(2019, 4, 3), "day"),
        ("12 de marzo de 2019", date(2019, 3, 12), "day"),
        ("mar-19", date(2019, 3, 1), "month"),
        ("03/2019", date(2019, 3, 1), "month"),
        ("2018", date(2018, 1, 1), "year"),
        ("31/04/2020", None, None),
        ("pronto", None, None),
    ],
)
def test_dates(text: str, born: date | None, precision: str | None) -> None:
    """Dates as people and spreadsheets write them, the day first where both are possible."""
    found = birth_of(text, "day_first", TODAY)
    assert (found and found.on, found and found.precision) == (born, precision)


def test_date_order() -> None:
    """One date that tells the order decides it for its column; one of another order is told."""
    rows = read("nombre,apellido,mascota,especie,nacimiento\n" + "".join(
        f"Ana,Vera,Luna,gato,{born}\n" for born in ("04/03/2019", "12/31/2019", "10/20/2018", "25/01/2017")
    ))  # fmt: skip
    assert [row.animals[0].birth_date for row in rows] == [
        date(2019, 4, 3), date(2019, 12, 31), date(2018, 10, 20), date(2017, 1, 25)
    ]  # fmt: skip
    assert [codes(row) for row in rows] == [[], [], [], [("nacimiento", "date_order")]]


@pytest.mark.parametrize(
    ("text", "days"), [("3 años", 1096), ("2a 6m", 913), ("8 semanas", 56), ("1 año y medio", 548), ("5", 1826)]
)
def test_ages(text: str, days: int) -> None:
    """An age is a birth date that was estimated."""
    found = born_of_age(text, None, TODAY)
    assert found is not None
    assert abs((TODAY - found.on).days - days) <= 1


def test_words() -> None:
    """Species, sex and state in the words of a clinic."""
    header = "nombre;apellido;mascota;especie;sexo;castrado"
    found = [
        one(header, f"Ana;Vera;Luna;{words}").animals[0]
        for words in ("Canino;Macho castrado;", "FELINA;h;sí", "cuy;m;no")
    ]
    assert [(each.species, each.sex, each.reproductive_status) for each in found] == [
        ("dog", "male", "neutered"), ("cat", "female", "neutered"), ("other", "male", "intact")
    ]  # fmt: skip
    assert species_of("unicornio") is None


def test_families_in_a_cell() -> None:
    """Several animals in one cell are as many animals, and said so."""
    row = one("cliente;mascotas;especie", "Ana Vera;Luna, Sol y Max;gato, perro y perro")
    assert [(each.name, each.species) for each in row.animals] == [("Luna", "cat"), ("Sol", "dog"), ("Max", "dog")]
    assert codes(row) == [("mascotas", "several_animals")]


def test_what_spreadsheets_do() -> None:
    """Lost zeros are added, `="…"` is opened, shortened numbers are refused, formulas are text, S/N is nothing."""
    header = "cedula;nombre;apellido;telefono;mascota;especie;color"
    row = one(header, '="0912345675";=cmd();Vera;S/N;Luna;gato;-')
    assert row.person is not None
    assert (row.person.document_number, row.person.given_name, row.person.phone) == ("0912345675", "=cmd()", None)
    assert codes(row) == [("nombre", "formula")]
    assert codes(one(header, "912345675;Ana;Vera;;Luna;gato;")) == [("cedula", "zero_added")]
    assert codes(one(header, ";Ana;Vera;5,93992E+11;Luna;gato;")) == [("telefono", "shortened")]
    assert codes(one(header, "9999999999999;Ana;Vera;;;;")) == [("cedula", "final_consumer")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1714307104;Ana;Vera;;;;;", [("cedula", "cedula_check_digit")]),
        (";Ana;;0991234567;;;;", [("nombre", "required")]),
        (";Ana;Vera;12;;;;", [("telefono", "phone_impossible")]),
        (";Ana;Vera;;Luna;;;", [("mascota", "species_required")]),
        (";Ana;Vera;;Luna;gato;31/12/2027;", [("nacimiento", "in_future")]),
        (";Ana;Vera;;Luna;gato;;94100000000000", [("chip", "chip_length")]),
        (";Ana;Vera;;Lu\ufffda;gato;;", [("mascota", "unreadable")]),
        (";Ana;Vera;0991234567;Luna;gato;;;;de más", [(None, "too_many_cells")]),
        (f";{'A' * 81};Vera;;;;;", [("nombre", "malformed")]),
    ],
)
def test_errors(row: str, expected: list[tuple[str | None, str]]) -> None:
    """What the rules of registering refuse is told under the column's own header, and the row is not sound."""
    found = one("cedula;nombre;apellido;telefono;mascota;especie;nacimiento;chip", row)
    assert codes(found) == expected
    assert not found.sound


@pytest.mark.parametrize(
    ("name", "reversed_order", "expected"),
    [
        ("Ana María Pérez López", False, ("Ana María", "Pérez López", False)),
        ("Ana Pérez López", False, ("Ana", "Pérez López", True)),
        ("PÉREZ LÓPEZ ANA MARÍA", True, ("ANA MARÍA", "PÉREZ LÓPEZ", False)),
        ("Pérez, Ana", False, ("Ana", "Pérez", False)),
        ("Dra. Carmen de la Torre", False, ("Carmen", "de la Torre", False)),
        ("Carmen", False, ("Carmen", None, False)),
    ],
)
def test_names(name: str, reversed_order: bool, expected: tuple[str, str | None, bool]) -> None:
    """Names in one cell are told apart, and it is said where that could be done otherwise."""
    assert split_name(name, reversed_order=reversed_order) == expected


def test_alike() -> None:
    """One person's name is known with more names, in another order and with one slip; another's is not."""
    assert alike("ana perez", "perez lopez ana maria")
    assert alike("rosa mendoza", "rosa mendosa")
    assert not alike("ana perez", "luis perez")
    assert not alike("ana", "ana perez")


def test_phones() -> None:
    """Several phones of one cell, without the words beside them."""
    assert phones_of("Cel: 0991234567 / casa 022345678") == ["0991234567", "022345678"]
    assert phones_of("099 123 4567") == ["099 123 4567"]


@pytest.mark.parametrize("text", ["Ana;Vera\nLuis;Mora\n", "", "saldo;fecha\n1;2\n"])
def test_no_header(text: str) -> None:
    """Without a row that says whose names these are nothing is guessed."""
    with pytest.raises(Unreadable) as refused:
        read(text)
    assert refused.value.problem.code == "no_header"


HEADERS = "cédula;nombre;apellido;teléfono;correo;mascota;especie;sexo;castrado;nacimiento;edad;chip;cantón"


@given(st.lists(st.text(st.characters(blacklist_characters='\n\r";', blacklist_categories=["Cs"]), max_size=30),
                min_size=1, max_size=14))  # fmt: skip
def test_any_cells(given_cells: list[str]) -> None:
    """Whatever stands in the cells, a row is read, and what is said of it names a column of the file."""
    rows: Any = read(f"{HEADERS}\nx;Ana;Vera;;;;;;;;;;\n{';'.join(given_cells)}\n")
    for row in rows:
        assert {each.column for each in row.problems} <= {*HEADERS.split(";"), None}
        assert row.sound or any(each.error for each in row.problems)


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("cliente;notas", "Ana Paz y Luis Mora;", ["several_people"]),
        ("cliente;notas", "Ana Paz / Luis Mora;", ["several_people"]),
        ("cliente;notas", "Ana y Luis Mora;", ["several_people"]),
        ("cliente;notas", "José Ortega y Gasset;", ["name_split"]),
        ("apellidos y nombres;notas", "Mora Ana & Luis;", ["several_people"]),
        ("apellidos y nombres;notas", "Ortega y Gasset José Luis;", ["name_split"]),
        ("nombre;apellido", "Ana y Luis;Mora", ["several_people"]),
        ("nombre;apellido", "José;Ortega y Gasset", []),
    ],
)
def test_families_in_a_name(header: str, row: str, expected: list[str]) -> None:
    """Two people in one cell are an error that says to write each in a row; a surname of two parts is one person's."""
    assert [code for _, code in codes(one(header, row))][:1] == expected


@pytest.mark.parametrize(
    ("phone", "number", "rest"),
    [
        ("0995555555 (esposo)", "+593995555555", "(esposo)"),
        ("02-2764-123 ext 5", "+59322764123", "ext 5"),
        ("0995555555", "+593995555555", None),
    ],
)
def test_words_beside_numbers(phone: str, number: str, rest: str | None) -> None:
    """What stands behind a phone's number is left out, and said so."""
    found = one("nombre;apellido;celular", f"Ana;Vera;{phone}")
    assert found.person is not None
    assert found.person.phone == number
    assert [each.values.get("rest") for each in found.problems] == ([] if rest is None else [rest])


def test_lines_taken_in() -> None:
    """A cell over several lines that holds separators is told, for it may hold what are rows."""
    found = read('nombre;apellido;mascota;especie;notas\nAna;Vera;Luna;gato;"come\nsolo; de noche"\n')
    assert [codes(row) for row in found] == [[(None, "several_lines")]]
