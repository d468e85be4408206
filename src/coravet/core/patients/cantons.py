"""Ecuador's cantons, with the codes that the INEC gives them: two digits of the province, two of the canton.

The 222 of the Clasificador Geográfico Estadístico (INEC, DPA), with Sevilla Don Bosco, the youngest (2024). The zones
that no canton has been given (codes beginning with 90) are not among them.
"""

from functools import cache
from importlib.resources import files

import msgspec


class Canton(msgspec.Struct, frozen=True):
    """A canton and its province, such as 2302, La Concordia in Santo Domingo de los Tsáchilas."""

    code: str
    name: str
    province: str


class CantonsView(msgspec.Struct, frozen=True):
    """All cantons, by code."""

    items: list[Canton]


@cache
def cantons() -> dict[str, Canton]:
    """Every canton by its code."""
    text = files("coravet.core.patients").joinpath("cantons.tsv").read_text("utf-8")
    return {canton.code: canton for canton in (Canton(*line.split("\t")) for line in text.splitlines())}
