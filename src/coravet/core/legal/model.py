"""What people decide about legal texts."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A legal text as somebody was shown it: one version in one language, and the SHA-256 of its bytes in hex."""

    slug: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}$(?!\n)")]
    version: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{1,32}$(?!\n)")]
    locale: Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$(?!\n)")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
