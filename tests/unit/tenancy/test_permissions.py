"""Who may do what, against the contract's table."""

import pytest

from coravet.core.tenancy.permissions import GRANTS, PERMISSIONS, permissions_of

ALL = {"owner", "manager", "vet", "staff"}
CONTRACT = {
    "clinic:read": ALL,
    "agenda:read": ALL,
    "agenda:write": ALL,
    "patients:read": ALL,
    "patients:write": ALL,
    "immunizations:read": ALL,
    "agenda:overbook": {"owner", "manager", "vet"},
    "records:read": {"owner", "manager", "vet"},
    "records:write": {"vet"},
    "clinic:configure": {"owner", "manager"},
    "members:manage": {"owner", "manager"},
    "privacy:manage": {"owner", "manager"},
    "audit:read": {"owner", "manager"},
}


def test_the_table_is_the_contract() -> None:
    """Each permission belongs to the roles that the contract lists, and to no other."""
    assert set(CONTRACT) == set(PERMISSIONS)
    assert {name: {role for role in GRANTS if name in GRANTS[role]} for name in PERMISSIONS} == CONTRACT


def test_roles_add_up() -> None:
    """A member holds the union of their roles' permissions."""
    assert permissions_of(["owner", "vet"]) == GRANTS["owner"] | GRANTS["vet"]


@pytest.mark.parametrize("roles", [[], ["boss"]])
def test_no_role_and_an_unknown_one_grant_nothing(roles: list[str]) -> None:
    """What is not in the table grants nothing."""
    assert permissions_of(roles) == frozenset()
