"""What each message says: Spanish as it is spoken in Ecuador, and English.

`{pet}`, `{service}`, `{when}` and `{day}` are the only places to fill in.
"""

from typing import NamedTuple

from coravet.core.messaging.model import LinkPurpose


class Words(NamedTuple):
    """A mail's subject, and the sentences that follow the greeting."""

    subject: str
    spanish: str
    english: str


WORDS: dict[str, Words] = {
    "visit_requested": Words(
        "Recibimos su solicitud de cita para {pet}",
        "recibimos su solicitud de cita para {pet}: {service}, el {when}. Le avisaremos en cuanto quede confirmada.",
        "we received your request for {pet}: {service}, {when}. We will let you know as soon as it is confirmed.",
    ),
    "visit_booked": Words(
        "Cita de {pet}: {when}",
        "la cita de {pet} está agendada: {service}, el {when}. ¡Le esperamos!",
        "the visit of {pet} is booked: {service}, {when}. See you then!",
    ),
    "visit_confirmed": Words(
        "Cita confirmada de {pet}: {when}",
        "la cita de {pet} está confirmada: {service}, el {when}. ¡Le esperamos!",
        "the visit of {pet} is confirmed: {service}, {when}. See you then!",
    ),
    "visit_moved": Words(
        "Cita reprogramada de {pet}: {when}",
        "la cita de {pet} fue reprogramada: {service}, ahora el {when}. Si no le conviene, avísenos, por favor.",
        "the visit of {pet} was moved: {service}, now {when}. If that does not suit you, please let us know.",
    ),
    "visit_cancelled": Words(
        "Cita cancelada de {pet}: {when}",
        "la cita de {pet} ({service}, el {when}) fue cancelada. Si desea otra, con gusto le ayudamos.",
        "the visit of {pet} ({service}, {when}) was cancelled. If you would like another, we are glad to help.",
    ),
    "visit_reminder": Words(
        "Recordatorio: cita de {pet}, {when}",
        "le recordamos la cita de {pet}: {service}, el {when}. Si no puede venir, avísenos con tiempo, por favor.",
        "a reminder of the visit of {pet}: {service}, {when}. If you cannot come, please let us know in time.",
    ),
    "vaccine_due": Words(
        "A {pet} le toca su vacuna",
        "a {pet} le toca su vacuna el {day}. Escríbanos y agendamos la cita de su mascota.",
        "the next vaccine of {pet} is due on {day}. Write to us to book a visit.",
    ),
    "deworming_due": Words(
        "A {pet} le toca su desparasitación",
        "a {pet} le toca su desparasitación el {day}. Escríbanos y agendamos la cita de su mascota.",
        "the next deworming of {pet} is due on {day}. Write to us to book a visit.",
    ),
    "follow_up": Words(
        "Control pendiente de {pet}",
        "{pet} tiene un control pendiente para el {day}. Escríbanos y agendamos la cita de su mascota.",
        "a check-up of {pet} is due on {day}. Write to us to book a visit.",
    ),
    "waitlist_offer": Words(
        "Se liberó un espacio para {pet}: {when}",
        "se liberó un espacio para {pet}: {service}, el {when}. Si le conviene, confírmenos pronto, por favor.",
        "a slot became free for {pet}: {service}, {when}. If it suits you, please confirm it soon.",
    ),
}

LINKS: dict[LinkPurpose, str] = {
    "see": "Ver la cita / See the visit",
    "confirm": "Confirmar la cita / Confirm the visit",
    "reschedule": "Reprogramar la cita / Move the visit",
    "cancel": "Cancelar la cita / Cancel the visit",
    "accept_offer": "Reservar el espacio / Take the slot",
    "opt_out": "No recibir más recordatorios / Stop these reminders",
}
