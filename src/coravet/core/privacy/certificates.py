"""Certificates: what was deleted, said without naming anybody."""

from hashlib import sha256

import msgspec


class Certificate(msgspec.Struct, frozen=True):
    """A certificate as it is kept and handed out.

    Attributes:
        certificate: what is certified, as JSON without white space.
        sha256: of exactly that, as a hexadecimal number.
    """

    certificate: msgspec.Raw
    sha256: str


def certified(facts: msgspec.Struct) -> str:
    """The certificate of these facts, as JSON."""
    told = msgspec.json.encode(facts)
    return msgspec.json.encode(Certificate(msgspec.Raw(told), sha256(told).hexdigest())).decode()
