"""Finding clients and patients by what somebody says at the counter."""

import re

from coravet.core.kernel.actor import Actor
from coravet.core.kernel.errors import FieldError, Invalid
from coravet.core.kernel.text import fold
from coravet.core.kernel.work import Begin
from coravet.core.patients.ports import PatientsWork
from coravet.core.patients.views import SearchView

LEAST_LETTERS = 2


async def search(text: str, limit: int, actor: Actor, begin: Begin[PatientsWork]) -> SearchView:
    """Clients and patients that match every word of `text`; accents and case do not matter.

    A run of digits is looked for in phones and documents as it stands, whatever blanks or dashes part it.

    Raises:
        Invalid: fewer than two letters or digits were given.
    """
    folded = fold(text)
    number = re.fullmatch(r"[\d\s+().-]+", folded)
    words = [re.sub(r"\D", "", folded).removeprefix("0")] if number else folded.split()
    if sum(map(len, words)) < LEAST_LETTERS:
        raise Invalid(errors=[FieldError("/q", "too_short", "Write at least two letters or digits.")])
    async with begin(actor) as work:
        return SearchView(await work.patient_reads.search(words, limit))
