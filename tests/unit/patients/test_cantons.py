"""The list of cantons, as the package carries it."""

from coravet.core.patients.cantons import cantons

PROVINCES = {
    "01": "Azuay", "02": "Bolívar", "03": "Cañar", "04": "Carchi", "05": "Cotopaxi", "06": "Chimborazo", "07": "El Oro",
    "08": "Esmeraldas", "09": "Guayas", "10": "Imbabura", "11": "Loja", "12": "Los Ríos", "13": "Manabí",
    "14": "Morona Santiago", "15": "Napo", "16": "Pastaza", "17": "Pichincha", "18": "Tungurahua",
    "19": "Zamora Chinchipe", "20": "Galápagos", "21": "Sucumbíos", "22": "Orellana",
    "23": "Santo Domingo de los Tsáchilas", "24": "Santa Elena",
}  # fmt: skip


def test_cantons() -> None:
    """There are 222 in 24 provinces; a code is four digits, the first two the province's; each has one name there."""
    found = cantons()
    assert len(found) == 222
    assert found["2302"].name == "La Concordia"
    assert all(code == canton.code and len(code) == 4 and code.isdecimal() for code, canton in found.items())
    assert {(code[:2], canton.province) for code, canton in found.items()} == set(PROVINCES.items())
    assert len({(canton.province, canton.name) for canton in found.values()}) == 222
    assert list(found) == sorted(found)
