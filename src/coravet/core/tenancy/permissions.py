"""Roles and what they may do: the one table (api.md, "Who may do what")."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, get_args

Role = Literal["owner", "manager", "vet", "staff"]
Permission = Literal[
    "clinic:read",
    "agenda:read",
    "agenda:write",
    "agenda:overbook",
    "patients:read",
    "patients:write",
    "immunizations:read",
    "records:read",
    "records:write",
    "clinic:configure",
    "members:manage",
    "privacy:manage",
    "audit:read",
]

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_EVERYONE: frozenset[Permission] = frozenset(
    {"clinic:read", "agenda:read", "agenda:write", "patients:read", "patients:write", "immunizations:read"}
)
_LEADERS: frozenset[Permission] = frozenset(
    {"agenda:overbook", "records:read", "clinic:configure", "members:manage", "privacy:manage", "audit:read"}
)

GRANTS: dict[Role, frozenset[Permission]] = {
    "owner": _EVERYONE | _LEADERS,
    "manager": _EVERYONE | _LEADERS,
    "vet": _EVERYONE | {"agenda:overbook", "records:read", "records:write"},
    "staff": _EVERYONE,
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """The union of what these roles grant; a role that is not known grants nothing."""
    return _union(frozenset(roles))


@lru_cache(64)  # one set for all who hold the same roles: each open stream keeps its person's
def _union(roles: frozenset[str]) -> frozenset[str]:
    return frozenset[str]().union(*(GRANTS.get(role, frozenset()) for role in roles))  # type: ignore[call-overload]
