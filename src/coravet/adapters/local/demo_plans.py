"""Who is in the demo, and its two clinics."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from coravet.adapters.local.demo_clinic import ClinicPlan, PlannedResource, PlannedService
from coravet.adapters.local.demo_words import LIVESTOCK
from coravet.core.kernel.actor import ClinicId, MemberId, UserId
from coravet.core.scheduling.hours import WeeklySpan
from coravet.core.tenancy.permissions import Role

PASSWORD = "coravet-demo"  # noqa: S105 -- it is told to whoever starts the demo
OPERATOR = "operator@coravet.test"
NEWCOMER = "newcomer@la-concordia.test"
"""Has accepted no legal text yet: whoever builds a client is shown the gate by signing in as them."""

TIME_ZONE = "America/Guayaquil"


def _fixed(number: int) -> UUID:
    """A UUIDv7 that is the same in every demo, which is how a demo is known."""
    return UUID(f"01900000-0000-7000-8000-{number:012x}")


class DemoPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can sign in.

    Attributes:
        clinic: the slug of the one in which they have a place.
    """

    number: int
    email: str
    name: str
    clinic: str | None = None
    roles: tuple[Role, ...] = ()
    registration_number: str | None = None

    @property
    def uid(self) -> str:
        """Firebase's id of the account."""
        return "demo-" + self.email.removesuffix(".test").replace("@", "-")

    @property
    def user_id(self) -> UserId:
        return UserId(_fixed(0x100 + self.number))

    @property
    def member_id(self) -> MemberId:
        return MemberId(_fixed(0x200 + self.number))


class DemoClinic(msgspec.Struct, frozen=True):
    """A clinic of the demo."""

    id: ClinicId
    slug: str
    name: str
    plan: ClinicPlan


PEOPLE = (
    DemoPerson(
        number=1, email="owner@la-concordia.test", name="Rosa Intriago (demo)", clinic="la-concordia", roles=("owner",)
    ),
    DemoPerson(
        number=2,
        email="manager@la-concordia.test",
        name="Byron Macías (demo)",
        clinic="la-concordia",
        roles=("manager",),
    ),
    DemoPerson(
        number=3,
        email="vet@la-concordia.test",
        name="Gabriela Moreira (demo)",
        clinic="la-concordia",
        roles=("vet",),
        registration_number="DEMO-0001",
    ),
    DemoPerson(
        number=4,
        email="vet2@la-concordia.test",
        name="Andrés Quiñónez (demo)",
        clinic="la-concordia",
        roles=("vet",),
        registration_number="DEMO-0002",
    ),
    DemoPerson(
        number=5, email="staff@la-concordia.test", name="Yadira Cagua (demo)", clinic="la-concordia", roles=("staff",)
    ),
    DemoPerson(
        number=6,
        email="owner@quininde.test",
        name="Franklin Estupiñán (demo)",
        clinic="quininde",
        roles=("owner", "vet"),
        registration_number="DEMO-0003",
    ),
    DemoPerson(number=7, email=OPERATOR, name="Operadora de CoraVet (demo)"),
    DemoPerson(number=8, email=NEWCOMER, name="Marlene Zambrano (demo)", clinic="la-concordia", roles=("staff",)),
)

MONDAY_TO_FRIDAY = range(1, 6)
SATURDAY, SUNDAY = (6,), (7,)


def week(*hours: tuple[Iterable[int], str, str]) -> list[WeeklySpan]:
    """Weekly hours from (weekdays, opens, closes)."""
    return [WeeklySpan(weekday, opens, closes) for weekdays, opens, closes in hours for weekday in weekdays]


# On Sunday mornings one vet is on duty, so that the demo's today is never a day on which nobody works.
_GABRIELA = PlannedResource(
    kind="vet",
    name="Dra. Gabriela Moreira",
    member="vet@la-concordia.test",
    spans=week(
        (MONDAY_TO_FRIDAY, "08:00", "13:00"),
        (MONDAY_TO_FRIDAY, "14:30", "18:00"),
        (SATURDAY, "08:00", "13:00"),
        (SUNDAY, "09:00", "12:00"),
    ),
)
_ANDRES = PlannedResource(
    kind="vet",
    name="Dr. Andrés Quiñónez",
    member="vet2@la-concordia.test",
    spans=week(
        (MONDAY_TO_FRIDAY, "09:00", "13:00"), (MONDAY_TO_FRIDAY, "14:00", "18:30"), (SATURDAY, "09:00", "14:00")
    ),
)
_FRANKLIN = PlannedResource(
    kind="vet",
    name="Dr. Franklin Estupiñán",
    member="owner@quininde.test",
    spans=week(
        (MONDAY_TO_FRIDAY, "08:30", "13:00"), (MONDAY_TO_FRIDAY, "15:00", "18:00"), (SATURDAY, "08:30", "12:30")
    ),
)
_WORKDAYS = week((MONDAY_TO_FRIDAY, "07:30", "19:00"), (SATURDAY, "07:30", "15:00"))
_ROOM_1 = PlannedResource(kind="room", name="Consultorio 1", spans=[*_WORKDAYS, *week((SUNDAY, "08:30", "12:30"))])
_ROOM_2 = PlannedResource(kind="room", name="Consultorio 2", spans=_WORKDAYS)
_THEATRE = PlannedResource(kind="room", name="Quirófano", spans=_WORKDAYS)
_ULTRASOUND = PlannedResource(kind="equipment", name="Ecógrafo", spans=_WORKDAYS)


def _services(vets: list[str], rooms: list[str], theatre: str, ultrasound: str | None) -> list[PlannedService]:
    services = [
        PlannedService(
            name="Consulta general",
            minutes=30,
            resources=[*vets, *rooms],
            color="#2a9d8f",
            online=True,
            share=10,
            reasons=(
                "Chequeo general.", "Cojea de una pata.", "Decaído desde ayer.", "No quiere comer.", "Se rasca mucho.",
                "Tiene diarrea.", "Tos desde hace tres días.", "Vómito desde anoche.",
            ),
        ),
        PlannedService(
            name="Vacunación",
            minutes=15,
            resources=[*vets, *rooms],
            color="#e9c46a",
            online=True,
            share=6,
            reasons=("Primera dosis.", "Refuerzo anual.", "Vacuna antirrábica.", "Vacuna múltiple."),
        ),
        PlannedService(
            name="Control",
            minutes=15,
            resources=[*vets, *rooms],
            color="#8ab17d",
            share=4,
            reasons=("Control de peso.", "Control después de la cirugía.", "Retiro de puntos."),
        ),
        PlannedService(
            name="Esterilización",
            minutes=60,
            buffers=(15, 30),
            resources=[*vets, theatre],
            color="#e76f51",
            share=2,
            species=("dog", "cat"),
            reasons=("Viene en ayunas desde anoche.",),
        ),
        PlannedService(
            name="Visita a finca",
            minutes=60,
            buffers=(30, 30),
            resources=vets,
            color="#7f5539",
            share=1,
            species=LIVESTOCK,
            reasons=("Control reproductivo.", "Desparasitación del hato.", "No se levanta desde la mañana."),
        ),
    ]  # fmt: skip
    if ultrasound is not None:
        services.append(
            PlannedService(
                name="Ecografía",
                minutes=30,
                buffers=(0, 15),
                resources=[*vets, *rooms, ultrasound],
                color="#457b9d",
                share=2,
                reasons=("Control de gestación.", "Ecografía abdominal."),
            )
        )
    return services


CLINICS = (
    DemoClinic(
        ClinicId(_fixed(1)),
        "la-concordia",
        "Clínica Veterinaria La Concordia (demo)",
        ClinicPlan(
            seed="la-concordia",
            time_zone=TIME_ZONE,
            province=23,
            resources=[_GABRIELA, _ANDRES, _ROOM_1, _ROOM_2, _THEATRE, _ULTRASOUND],
            services=_services(
                [_GABRIELA.name, _ANDRES.name], [_ROOM_1.name, _ROOM_2.name], _THEATRE.name, _ULTRASOUND.name
            ),
            clients=240,
            patients=330,
            fill=0.4,
        ),
    ),
    DemoClinic(
        ClinicId(_fixed(2)),
        "quininde",
        "Clínica Veterinaria Quinindé (demo)",
        ClinicPlan(
            seed="quininde",
            time_zone=TIME_ZONE,
            province=8,
            resources=[_FRANKLIN, _ROOM_2, _THEATRE],
            services=_services([_FRANKLIN.name], [_ROOM_2.name], _THEATRE.name, None),
            clients=80,
            patients=110,
            fill=0.4,
        ),
    ),
)
