"""WhatsApp through Meta's Cloud API, for a clinic service with a business account."""

from typing import Any, Literal

import httpx

from coravet.core.messaging.ports import Letter, NotDelivered

TIMEOUT = 20.0
LATER = frozenset({4, 80007, 130429, 131016, 131048, 131056})
"""Error codes that say too much at once, or not now: Meta's list of Cloud API error codes."""


class CloudApi:
    """`Messenger` over the Cloud API.

    Meta lets a business begin a conversation only with a template that it approved: with `templates` set, a letter is
    the template `<templates><kind>` in Spanish, its parts filled in in order; else it is plain text, which reaches only
    who wrote to the clinic within the last 24 hours.

    Args:
        api: such as `https://graph.facebook.com/v23.0`.
    """

    def __init__(self, api: str, phone_number_id: str, token: str, templates: str | None) -> None:
        self._address = f"{api}/{phone_number_id}/messages"
        self._token = token
        self._templates = templates

    async def deliver(self, letter: Letter) -> Literal["sent"]:
        """See the port."""
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT) as client:
                answer = await client.post(
                    self._address, json=self._body(letter), headers={"Authorization": f"Bearer {self._token}"}
                )
        except httpx.HTTPError as error:
            raise NotDelivered("whatsapp_unreachable", again=True) from error
        if answer.is_success:
            return "sent"
        if answer.status_code in {401, 403}:
            raise NotDelivered("whatsapp_login", again=True)  # ours to mend, and the letter is good
        code = _code(answer)
        again = answer.status_code == 429 or answer.status_code >= 500 or code in LATER
        raise NotDelivered(f"whatsapp_{code or answer.status_code}", again=again)

    def _body(self, letter: Letter) -> dict[str, Any]:
        body: dict[str, Any] = {"messaging_product": "whatsapp", "to": letter.to.removeprefix("+")}
        if self._templates is None:
            return body | {"type": "text", "text": {"body": letter.text}}
        parameters = [{"type": "text", "text": part} for part in letter.parts]
        template = {
            "name": f"{self._templates}{letter.kind}",
            "language": {"code": "es"},
            "components": [{"type": "body", "parameters": parameters}],
        }
        return body | {"type": "template", "template": template}


def _code(answer: httpx.Response) -> int | None:
    try:
        code = answer.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None
    return code if isinstance(code, int) else None
