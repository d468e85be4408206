"""What goes between a converter and its helpers: each message is its length in four bytes, then MessagePack."""

import msgspec

from coravet.core.media.pictures import Picture

LENGTH = 4


class Job(msgspec.Struct, frozen=True):
    """A file to make a picture of, or a clean PDF, in at most so many seconds of the processor's time."""

    path: str
    seconds: int
    pdf: bool = False


class Converted(msgspec.Struct, frozen=True, tag="converted"):
    """A picture that went well."""

    picture: Picture


class Cleaned(msgspec.Struct, frozen=True, tag="cleaned"):
    """A PDF that went well."""

    data: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """An upload that is refused, by the name of its error; what a library says of it may hold what is in it."""

    error: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A fault of ours, by the name of its exception."""

    exception: str


Answer = Converted | Cleaned | Refused | Failed


def framed(message: Job | Answer) -> bytes:
    """A message as it is sent."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH, "big") + body
