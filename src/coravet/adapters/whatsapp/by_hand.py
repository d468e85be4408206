"""WhatsApp without a business account: a link that opens the chat with the text in it, for a person to send."""

from typing import Literal
from urllib.parse import quote

from coravet.core.messaging.ports import Letter


class WaMeLinks:
    """`Messenger` and `ByHand`: what is due waits until somebody taps its link."""

    async def deliver(self, letter: Letter) -> Literal["waiting"]:  # noqa: ARG002 -- as every channel
        return "waiting"

    def url(self, letter: Letter) -> str:
        """See the port. wa.me takes the phone's digits without the plus sign."""
        return f"https://wa.me/{letter.to.removeprefix('+')}?text={quote(letter.text, safe='')}"
