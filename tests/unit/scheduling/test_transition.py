"""The table of a visit's transitions, against the contract."""

import pytest

from coravet.core.scheduling.model import Status
from coravet.core.scheduling.transition import COMES_TRUE, RELEASED, TRANSITIONS, destination

CONTRACT = {
    ("requested", "confirm"): "confirmed",
    ("confirmed", "check-in"): "checked_in",
    ("checked_in", "start"): "in_exam",
    ("in_exam", "ready"): "ready",
    ("ready", "complete"): "completed",
    ("requested", "cancel"): "cancelled",
    ("confirmed", "cancel"): "cancelled",
    ("requested", "no-show"): "no_show",
    ("confirmed", "no-show"): "no_show",
    ("checked_in", "back"): "confirmed",
    ("in_exam", "back"): "checked_in",
    ("ready", "back"): "in_exam",
    ("completed", "back"): "ready",
}
CAME_FROM = ("requested", "confirmed")


def test_the_table_is_the_contract() -> None:
    """Every step of the contract is possible and no other is, wherever the visit came from."""
    table = {
        (status, step): target
        for step in TRANSITIONS
        for status in COMES_TRUE
        if (target := destination(step, status, None)) is not None
    }
    assert table == CONTRACT


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_visit_that_was_given_up_goes_back_to_what_it_was(status: Status) -> None:
    """Requested or confirmed, whichever it was; from anything else there is no way back."""
    assert {came_from: destination("back", status, came_from) for came_from in CAME_FROM} == {
        "requested": "requested",
        "confirmed": "confirmed",
    }
    assert destination("back", status, "completed") is None
    assert destination("back", status, None) is None


def test_only_visits_that_will_not_take_place_free_their_time() -> None:
    """Cancelling and no-show release what the visit holds; nothing else does."""
    releasing = {step for step, ways in TRANSITIONS.items() for targets in ways.values() if targets & RELEASED}
    assert releasing == {"cancel", "no-show"}
