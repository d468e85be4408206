"""The table of a visit's transitions, against the contract."""

from coravet.core.scheduling.transition import TRANSITIONS

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
}


def test_the_table_is_the_contract() -> None:
    """Every step of the contract is possible and no other is."""
    table = {(source, step): each.target for step, each in TRANSITIONS.items() for source in each.sources}
    assert table == CONTRACT


def test_only_visits_that_will_not_take_place_free_their_time() -> None:
    """Cancelling and no-show release what the visit holds; nothing else does."""
    assert {step for step, each in TRANSITIONS.items() if each.releases} == {"cancel", "no-show"}
