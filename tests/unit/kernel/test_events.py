"""The catalogue of events holds what the stream promises."""

from coravet.core.kernel.events import CATALOGUE, STREAM_FRAMES, Event
from coravet.core.tenancy.permissions import PERMISSIONS


def test_every_audience_can_be_told_apart() -> None:
    """An event is for the clinic, for one person, or for the holders of a permission that exists."""
    for kind, event in CATALOGUE.items():
        assert event.audience in {"clinic", "person", *PERMISSIONS}, kind
        assert ("person" in event.__struct_fields__) == (event.audience == "person"), kind


def test_events_carry_ids_only() -> None:
    """No event has room for anything but ids and a version."""
    for event in CATALOGUE.values():
        assert set(event.__struct_fields__) <= {"id", "version", "person"}


def test_kinds_are_named_after_their_subject() -> None:
    """Kinds read noun.verb, apart from what a stream says of itself; to load anew may be asked by an event, too."""
    own = {frame.kind for frame in STREAM_FRAMES}
    assert own == {"stream.heartbeat", "stream.resync", "stream.closed"}
    assert own & CATALOGUE.keys() == {"stream.resync"}
    for kind, event in CATALOGUE.items():
        assert kind.count(".") == 1
        assert event is not Event
