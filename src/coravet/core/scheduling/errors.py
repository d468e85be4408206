"""What scheduling refuses."""

from coravet.core.kernel.errors import Conflict


class SlotTaken(Conflict):
    """Somebody holds this time."""

    code = "slot_taken"
    title = "The time is taken"

    def __init__(self) -> None:
        super().__init__("This time was just taken. Choose another.")


class OutsideHours(Conflict):
    """A resource does not work then."""

    code = "outside_hours"
    title = "Outside working hours"

    def __init__(self) -> None:
        super().__init__("The visit lies outside the working hours of who or what it needs. Choose another time.")
