"""How often somebody without an account may ask for something."""

from typing import Literal, Protocol

Rule = Literal["address", "clinic", "phone", "reading"]
"""What is counted: attempts to hold or to book, from an address, in a clinic and for a phone; and looking, from an
address."""


class Limits(Protocol):
    """The conversation about who asks too much. Whoever is counted is kept as a hash, for as long as the rule needs."""

    async def count(self, rule: Rule, whom: str) -> None:
        """One more attempt.

        Raises:
            RateLimited: it is one too many; carries in how many seconds another may be made.
        """
        ...
