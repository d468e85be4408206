"""Which lane and which resources a visit takes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from coravet.core.scheduling.errors import SlotTaken
from coravet.core.scheduling.hours import Interval
from coravet.core.scheduling.place import LANES, choose, leading_kind
from coravet.core.scheduling.ports import Held, Offer

VET, OTHER_VET, ROOM, OTHER_ROOM = (UUID(int=number) for number in range(1, 5))
NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
HOUR = Interval(NOON, NOON + timedelta(hours=1))
OFFER = Offer(
    service_id=UUID(int=9),
    duration_minutes=60,
    buffer_before_minutes=0,
    buffer_after_minutes=0,
    resources={VET: "vet", OTHER_VET: "vet", ROOM: "room", OTHER_ROOM: "room"},
)
EVERYBODY = list(OFFER.resources)


def held(*taken: tuple[UUID, int]) -> list[Held]:
    return [Held(resource_id, lane, HOUR) for resource_id, lane in taken]


def test_a_free_vet_gets_the_first_free_room() -> None:
    """What the service needs beyond the named vet is assigned, in the order of the offer."""
    assert choose(OFFER, [VET], EVERYBODY, [], lanes=1) == (0, [VET, ROOM])
    assert choose(OFFER, [VET], EVERYBODY, held((ROOM, 0)), lanes=1) == (0, [VET, OTHER_ROOM])


def test_a_named_room_is_taken_as_named() -> None:
    """Naming a room leaves nothing to assign."""
    assert choose(OFFER, [VET, OTHER_ROOM], EVERYBODY, [], lanes=1) == (0, [VET, OTHER_ROOM])


@pytest.mark.parametrize("taken", [[(VET, 0)], [(ROOM, 0), (OTHER_ROOM, 0)]], ids=["the vet", "every room"])
def test_what_is_held_is_taken(taken: list[tuple[UUID, int]]) -> None:
    """A held vet, or no free room, leaves no slot."""
    with pytest.raises(SlotTaken):
        choose(OFFER, [VET], EVERYBODY, held(*taken), lanes=1)


def test_a_room_that_does_not_work_is_not_assigned() -> None:
    """Only resources that work during the visit are assigned."""
    assert choose(OFFER, [VET], [VET, OTHER_ROOM], [], lanes=1) == (0, [VET, OTHER_ROOM])
    with pytest.raises(SlotTaken):
        choose(OFFER, [VET], [VET], [], lanes=1)


def test_overbooking_takes_the_lowest_lane_that_is_free() -> None:
    """Lane 0 where it is free, then one above; when all are held the time is taken for overbooking, too."""
    assert choose(OFFER, [VET], EVERYBODY, [], lanes=LANES)[0] == 0
    assert choose(OFFER, [VET], EVERYBODY, held((VET, 0)), lanes=LANES) == (1, [VET, ROOM])
    assert choose(OFFER, [VET], EVERYBODY, held((VET, 0), (VET, 1)), lanes=LANES)[0] == 2
    with pytest.raises(SlotTaken):
        choose(OFFER, [VET], EVERYBODY, held(*((VET, lane) for lane in range(LANES))), lanes=LANES)


def test_vets_lead_before_rooms_before_equipment() -> None:
    """The kind that a booking must name is the first of vet, room, equipment that the service has."""
    assert leading_kind(["room", "vet"]) == "vet"
    assert leading_kind(["equipment", "room"]) == "room"
    assert leading_kind(["equipment"]) == "equipment"
