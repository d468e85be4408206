"""What scheduling refuses."""

from coravet.core.kernel.errors import Conflict
from coravet.core.scheduling.views import AppointmentView


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


class NoTimeSoon(Conflict):
    """Nobody who could serve a walk-in is free in the next hours."""

    code = "no_time_soon"
    title = "No free time in the next hours"

    def __init__(self) -> None:
        super().__init__("Nobody who could see this patient is free in the next hours. Book a time, or overbook.")


class BookingsInClosure(Conflict):
    """Visits are booked in the time that is to be closed; nothing is cancelled without saying so."""

    code = "bookings_in_closure"
    title = "Visits are booked in this time"

    def __init__(self, appointments: list[AppointmentView], total: int) -> None:
        super().__init__(
            "Visits are booked in this time. Move or cancel them first, or close with keep_bookings to leave them.",
            appointments=appointments,
            appointments_total=total,
        )


class OfferExpired(Conflict):
    """What was offered to who waits is no longer held."""

    code = "offer_expired"
    title = "The offer has ended"

    def __init__(self) -> None:
        super().__init__("This offer has ended, and the time may be somebody else's. Choose another time.")


class TooLateForGuests(Conflict):
    """The service's cut-off for guests has passed, or the visit has begun."""

    code = "too_late_for_guests"
    title = "Too late to change it online"

    def __init__(self) -> None:
        super().__init__("It is too late to change this visit online. Call the clinic.")


class NotBookedOnline(Conflict):
    """The service is none that guests book by themselves."""

    code = "not_booked_online"
    title = "Not booked online"

    def __init__(self) -> None:
        super().__init__("Visits of this service are not moved online. Call the clinic.")
