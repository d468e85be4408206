"""What the service does with data about people, activity by activity: what the record of processing is made of.

The LOPDP has controllers keep a record of their processing activities (registro de actividades de tratamiento). What is
stored comes from the columns' own classification; what it is for, on what basis and who receives it is said here, once.
A clinic is controller of what is about its clients, and CoraVet its processor; CoraVet is controller of accounts.
"""

from typing import Literal, NamedTuple

Role = Literal["clinic", "coravet"]
"""Whose activity it is: the clinic's, with CoraVet as its processor, or CoraVet's own."""


class Words(NamedTuple):
    """The same in Spanish and in English."""

    es: str
    en: str


class Activity(NamedTuple):
    """One activity.

    Attributes:
        basis: on which article of the law it stands.
        people: whose data it is.
        recipients: who else receives any of it.
        kept: for how long; which terms are provisional is said, for no statute sets one for veterinary records.
        tables: what is stored for it.
    """

    key: str
    name: Words
    controller: Role
    purpose: Words
    basis: Words
    people: Words
    recipients: Words
    transfers: Words
    kept: Words
    tables: tuple[str, ...]


_CONTRACT = Words(
    "Ejecución del contrato con el cliente (LOPDP art. 7, num. 5)",
    "Performance of the contract with the client (LOPDP art. 7, no. 5)",
)
_CLIENTS = Words(
    "Clientes: propietarios, copropietarios y cuidadores de los animales",
    "Clients: owners, co-owners and caretakers of animals",
)
_CLINIC_ONLY = Words(
    "Miembros de la clínica según su rol; el proveedor de alojamiento, como subencargado",
    "Members of the clinic as their roles allow; the hosting provider, as a sub-processor",
)
_NO_TRANSFER = Words(
    "Ninguna que el servicio haga; la ubicación de los servidores la decide quien lo opera",
    "None that the service makes; where the servers stand is up to whoever runs it",
)
_WHILE_CLIENT = Words(
    "Mientras dure la relación con la clínica y luego lo que la clínica fije (provisional); se anonimiza a petición",
    "While the relation with the clinic lasts, then as the clinic decides (provisional); anonymised on request",
)

ACTIVITIES: tuple[Activity, ...] = (
    Activity(
        key="clients",
        name=Words("Registro de clientes y pacientes", "Register of clients and patients"),
        controller="clinic",
        purpose=Words(
            "Saber quién trae a cada animal, cómo contactarlo y qué animal es",
            "Knowing who brings each animal, how to reach them, and which animal it is",
        ),
        basis=_CONTRACT,
        people=_CLIENTS,
        recipients=_CLINIC_ONLY,
        transfers=_NO_TRANSFER,
        kept=_WHILE_CLIENT,
        tables=("clients", "contacts", "client_merges", "parties", "patients", "identifiers", "search_words"),
    ),
    Activity(
        key="records",
        name=Words("Historia clínica veterinaria", "Veterinary clinical record"),
        controller="clinic",
        purpose=Words(
            "Atender a los pacientes y documentar lo que se hizo, quién lo hizo y quién lo firmó. Las notas pueden"
            " mencionar la salud de personas (mordeduras, zoonosis, discapacidad), por lo que se tratan como sensibles",
            "Treating patients and documenting what was done, who did it and who signed it. Notes may mention people's"
            " health (bites, zoonoses, disability), so that they are treated as sensitive",
        ),
        basis=Words(
            "Ejecución del contrato (LOPDP art. 7, num. 5) y obligación legal de quien ejerce la medicina veterinaria"
            " (art. 7, num. 2); datos sensibles: art. 26",
            "Performance of the contract (LOPDP art. 7, no. 5) and the legal duty of whoever practises veterinary"
            " medicine (art. 7, no. 2); sensitive data: art. 26",
        ),
        people=Words(
            "Clientes mencionados en las notas; veterinarios que atienden y firman",
            "Clients whom notes mention; vets who treat and sign",
        ),
        recipients=Words(
            "Veterinarios y administración de la clínica; quien recibe del cliente un documento emitido; el proveedor"
            " de alojamiento, como subencargado",
            "Vets and management of the clinic; whoever the client gives an issued document to; the hosting provider,"
            " as a sub-processor",
        ),
        transfers=_NO_TRANSFER,
        kept=Words(
            "Lo que la clínica fije para la historia clínica (provisional: no hay plazo legal para la veterinaria); lo"
            " firmado se conserva sin la persona",
            "As the clinic decides for clinical records (provisional: no statute sets a term for veterinary ones); what"
            " is signed stays without the person",
        ),
        tables=(
            "addenda",
            "alerts",
            "allergies",
            "deaths",
            "dewormings",
            "documents",
            "encounters",
            "immunizations",
            "media",
            "media_variants",
            "note_templates",
            "prescription_items",
            "prescriptions",
            "problem_changes",
            "problems",
            "set_aside_notes",
            "weights",
        ),
    ),
    Activity(
        key="appointments",
        name=Words("Citas, lista de espera y reservas en línea", "Visits, waitlist and online bookings"),
        controller="clinic",
        purpose=Words(
            "Acordar cuándo se atiende a quién, también en línea y sin cuenta",
            "Agreeing on when whom is seen, online and without an account too",
        ),
        basis=Words(
            "Medidas precontractuales y ejecución del contrato (LOPDP art. 7, num. 5)",
            "Steps before a contract and its performance (LOPDP art. 7, no. 5)",
        ),
        people=Words(
            "Clientes; personas que reservan en línea; miembros cuya agenda se lleva",
            "Clients; people who book online; members whose agenda it is",
        ),
        recipients=_CLINIC_ONLY,
        transfers=_NO_TRANSFER,
        kept=_WHILE_CLIENT,
        tables=(
            "allocations",
            "appointment_transitions",
            "appointments",
            "closures",
            "exceptions",
            "guest_requests",
            "holds",
            "resources",
            "waitlist",
        ),
    ),
    Activity(
        key="messages",
        name=Words("Mensajes y recordatorios", "Messages and reminders"),
        controller="clinic",
        purpose=Words(
            "Confirmar y recordar citas y controles por el canal que el cliente permitió",
            "Confirming and reminding of visits and recalls over the channel that the client allowed",
        ),
        basis=Words(
            "Ejecución del contrato para lo que responde a una cita (LOPDP art. 7, num. 5); consentimiento para"
            " WhatsApp y recordatorios (arts. 7, num. 1, y 8)",
            "Performance of the contract for what answers a visit (LOPDP art. 7, no. 5); consent for WhatsApp and"
            " reminders (arts. 7, no. 1, and 8)",
        ),
        people=_CLIENTS,
        recipients=Words(
            "El proveedor de correo de quien opera el servicio; WhatsApp (Meta), solo si el cliente lo aceptó",
            "The mail provider of whoever runs the service; WhatsApp (Meta), only where the client agreed",
        ),
        transfers=Words(
            "WhatsApp (Meta) trata mensajes fuera del Ecuador; el correo, según su proveedor",
            "WhatsApp (Meta) handles messages outside Ecuador; mail, as its provider does",
        ),
        kept=Words(
            "Los mensajes no se guardan, solo que se enviaron; los enlaces, un mes después de vencer",
            "Messages are not kept, only that they were sent; links, for a month after they expire",
        ),
        tables=("channel_choices", "links", "messages", "recalls"),
    ),
    Activity(
        key="consents",
        name=Words("Consentimientos de clientes", "Consents of clients"),
        controller="clinic",
        purpose=Words(
            "Demostrar qué aceptó o rechazó cada cliente, con qué texto, y respetarlo",
            "Proving what each client agreed to or declined, on which text, and heeding it",
        ),
        basis=Words(
            "Obligación de demostrar el consentimiento (LOPDP arts. 7, num. 2, y 8)",
            "The duty to be able to prove consent (LOPDP arts. 7, no. 2, and 8)",
        ),
        people=_CLIENTS,
        recipients=_CLINIC_ONLY,
        transfers=_NO_TRANSFER,
        kept=Words(
            "Mientras pueda ser necesario demostrarlo (provisional); se conserva sin la persona tras su eliminación",
            "As long as it may have to be proven (provisional); stays without the person after erasure",
        ),
        tables=("consents",),
    ),
    Activity(
        key="requests",
        name=Words("Solicitudes de derechos", "Rights requests"),
        controller="clinic",
        purpose=Words(
            "Recibir, responder y demostrar lo que se hizo con cada solicitud sobre datos personales",
            "Receiving each request about personal data, answering it, and proving what was done about it",
        ),
        basis=Words(
            "Obligación legal de atender los derechos (LOPDP art. 7, num. 2, y arts. 12 a 20 y 62)",
            "The legal duty to heed these rights (LOPDP art. 7, no. 2, and arts. 12 to 20 and 62)",
        ),
        people=Words(
            "Clientes y otras personas que ejercen un derecho, y quien los representa",
            "Clients and other people who exercise a right, and whoever represents them",
        ),
        recipients=_CLINIC_ONLY,
        transfers=_NO_TRANSFER,
        kept=Words(
            "El registro de lo que se hizo, mientras pueda ser necesario demostrarlo (provisional); lo que se escribió"
            " se borra con la persona",
            "The register of what was done as long as it may have to be proven (provisional); what was written goes"
            " with the person",
        ),
        tables=("privacy_request_steps", "privacy_requests"),
    ),
    Activity(
        key="imports",
        name=Words("Importación de listas de la clínica", "Import of the clinic's lists"),
        controller="clinic",
        purpose=Words(
            "Traer los clientes y pacientes que la clínica ya tenía en otro sistema",
            "Bringing over clients and patients that the clinic already had in another system",
        ),
        basis=_CONTRACT,
        people=_CLIENTS,
        recipients=_CLINIC_ONLY,
        transfers=_NO_TRANSFER,
        kept=Words("Un mes; luego se borra", "A month, then deleted"),
        tables=("import_parts", "import_rows", "imports"),
    ),
    Activity(
        key="accounts",
        name=Words("Cuentas, miembros y operadores", "Accounts, members and operators"),
        controller="coravet",
        purpose=Words(
            "Que cada persona entre con su propia cuenta y solo a su clínica, según sus roles",
            "Having each person sign in with their own account, and only to their clinic, as their roles allow",
        ),
        basis=Words(
            "Ejecución del contrato con la clínica y con la persona (LOPDP art. 7, num. 5)",
            "Performance of the contract with the clinic and the person (LOPDP art. 7, no. 5)",
        ),
        people=Words(
            "Quienes trabajan en clínicas o fueron invitados a ellas; quienes operan el servicio",
            "Those who work in clinics or were invited to; those who run the service",
        ),
        recipients=Words(
            "Firebase Authentication (Google), que comprueba quién entra; el proveedor de alojamiento",
            "Firebase Authentication (Google), which checks who signs in; the hosting provider",
        ),
        transfers=Words(
            "Google trata los datos de acceso fuera del Ecuador (LOPDP arts. 55 a 59)",
            "Google handles sign-in data outside Ecuador (LOPDP arts. 55 to 59)",
        ),
        kept=Words(
            "Mientras exista la cuenta; al cerrarse se anonimiza y queda solo lo que firmó",
            "While the account exists; once closed it is anonymised, and only what it signed stays",
        ),
        tables=(
            "account_erasures",
            "calendar_feeds",
            "departures",
            "ended_sessions",
            "invitations",
            "members",
            "operators",
            "users",
        ),
    ),
    Activity(
        key="acceptances",
        name=Words("Aceptación de textos legales", "Acceptance of legal texts"),
        controller="coravet",
        purpose=Words(
            "Demostrar qué texto aceptó, rechazó o revocó cada persona, con qué palabras y cuándo",
            "Proving which text each person accepted, declined or withdrew from, in which words and when",
        ),
        basis=Words(
            "Ejecución del contrato y obligación de demostrar el consentimiento (LOPDP arts. 7, num. 2 y 5, y 8)",
            "Performance of the contract and the duty to be able to prove consent (LOPDP arts. 7, nos. 2 and 5, and 8)",
        ),
        people=Words(
            "Miembros de clínicas, clientes y personas que reservan en línea",
            "Members of clinics, clients and people who book online",
        ),
        recipients=Words(
            "El proveedor de alojamiento; la propia persona, con su constancia",
            "The hosting provider; the person, with their receipt",
        ),
        transfers=_NO_TRANSFER,
        kept=Words(
            "La decisión, mientras pueda ser necesario demostrarla (provisional); la dirección y el navegador se borran"
            " con la persona",
            "The decision as long as it may have to be proven (provisional); address and browser go with the person",
        ),
        tables=("acceptance_evidence", "acceptances"),
    ),
    Activity(
        key="erasures",
        name=Words("Eliminación de datos a petición", "Erasure on request"),
        controller="clinic",
        purpose=Words(
            "Cumplir y poder demostrar el derecho de eliminación, y bloquear lo que la ley aún manda conservar",
            "Honouring the right to erasure, being able to prove it, and blocking what the law still holds back",
        ),
        basis=Words("Obligación legal (LOPDP arts. 15 y 18)", "Legal duty (LOPDP arts. 15 and 18)"),
        people=_CLIENTS,
        recipients=Words("El proveedor de alojamiento", "The hosting provider"),
        transfers=_NO_TRANSFER,
        kept=Words(
            "El certificado, sin datos personales, mientras exista la clínica; lo bloqueado, hasta el día que dice su"
            " regla de conservación",
            "The certificate, without personal data, as long as the clinic exists; what is blocked, until the day that"
            " its retention rule sets",
        ),
        tables=("erasures", "withheld"),
    ),
    Activity(
        key="operation",
        name=Words("Operación segura del servicio", "Safe running of the service"),
        controller="coravet",
        purpose=Words(
            "Que nada se haga dos veces, que lo que se ve esté al día y que nadie abuse del servicio",
            "Doing nothing twice, showing what is current, and letting nobody abuse the service",
        ),
        basis=Words(
            "Interés legítimo en un servicio seguro (LOPDP art. 7, num. 8) y deber de seguridad (art. 37)",
            "Legitimate interest in a safe service (LOPDP art. 7, no. 8) and the duty of security (art. 37)",
        ),
        people=Words("Miembros, clientes y visitantes", "Members, clients and visitors"),
        recipients=Words(
            "El proveedor de alojamiento; el de informes de errores, sin datos personales",
            "The hosting provider; that of error reports, without personal data",
        ),
        transfers=_NO_TRANSFER,
        kept=Words(
            "Un día las respuestas y avisos; minutos los contadores", "Answers and notices a day; counters minutes"
        ),
        tables=("idempotency_keys", "outbox", "rate_limits"),
    ),
)
