"""The Spanish (Ecuador) of every sentence that a client may read, under its English.

One line a sentence, in the part of its noun. A name in braces stands for the same value in both. People are addressed
as `usted`; a sentence says what is wrong and what to do. `tests/unit/laws/test_sentences.py` tells what is missing.
"""

_LEGAL = {
    "You own several clinics: name the one you decide for.": (
        "Usted es propietario de varias clínicas: indique por cuál decide."
    ),
    "This text is decided on for oneself, not a clinic.": (
        "Sobre este texto se decide en nombre propio, no de una clínica."
    ),
    "There is a newer version of this text. Show that one, and decide on it.": (
        "Hay una versión más nueva de este texto. Muestre esa y decida sobre ella."
    ),
    "This is not a text to decide on here. Load the text that is asked for, show it, and name that one.": (
        "Este no es un texto sobre el que se decida aquí. Cargue el texto que se pide, muéstrelo y nombre ese."
    ),
    "No such text was published. Load the text that is in force, show it, and name that one.": (
        "No se publicó ningún texto así. Cargue el texto vigente, muéstrelo y nombre ese."
    ),
    "The hash is not that of the published text. Load the text again, show it, and decide on it.": (
        "Lo que se mostró no es el texto publicado. Vuelva a cargar el texto, léalo y decida sobre él."
    ),
    "This text binds the clinic: only an owner of it decides about it.": (
        "Este texto obliga a la clínica: solo un propietario decide sobre él."
    ),
    "You have not accepted this text, so there is nothing to withdraw.": (
        "Usted no ha aceptado este texto, así que no hay nada que retirar."
    ),
}

_MEDIA = {
    "This file is not a picture that can be read. Send a JPEG, PNG, HEIC, WebP, AVIF, GIF or TIFF.": (
        "Este archivo no es una imagen que se pueda leer. Envíe un JPEG, PNG, HEIC, WebP, AVIF, GIF o TIFF."
    ),
    "This picture is cut off or damaged. Send it again, or take another one.": (
        "Esta imagen está cortada o dañada. Vuelva a enviarla o tome otra."
    ),
    "This picture is too large. Send it with at most {megapixels} megapixels and {megabytes} MB.": (
        "Esta imagen es demasiado grande. Envíela con {megapixels} megapíxeles y {megabytes} MB como máximo."
    ),
    "Pictures cannot be converted at this moment. Try again later.": (
        "En este momento no se pueden procesar imágenes. Inténtelo más tarde."
    ),
}

_TITLES = {
    "The picture is damaged": "La imagen está dañada",
    "The picture is too large": "La imagen es demasiado grande",
    "Not signed in": "No ha iniciado sesión",
    "The session has ended": "La sesión terminó",
    "Request from another site": "Solicitud enviada desde otro sitio",
    "Not allowed": "No permitido",
    "The client is another one now": "El cliente ahora es otro",
    "A visit is going on": "Hay una atención en curso",
    "An import is not finished": "Hay una importación sin terminar",
    "The merge cannot be undone": "La unión no se puede deshacer",
    "Legal texts to accept": "Hay textos legales por aceptar",
    "Not the text that was published": "No es el texto publicado",
    "Not found": "No encontrado",
    "Method not allowed": "Método no permitido",
    "Changed at the same time": "Cambiado al mismo tiempo",
    "It exists already": "Ya existe",
    "Idempotency-Key used for another request": "Idempotency-Key usada en otra solicitud",
    "Not possible in this state": "No es posible en este estado",
    "The invitation is no longer open": "La invitación ya no está abierta",
    "The last owner cannot leave": "El último propietario no puede salir",
    "Outside working hours": "Fuera del horario de atención",
    "The time is taken": "El horario está ocupado",
    "The patient has died": "La mascota ha fallecido",
    "A patient needs an owner": "Una mascota necesita un propietario",
    "No free time in the next hours": "No hay horario libre en las próximas horas",
    "The offer has ended": "La oferta terminó",
    "Too late to change it online": "Ya no se puede cambiar en línea",
    "Not booked online": "No se agenda en línea",
    "Visits are booked in this time": "Hay citas agendadas en ese tiempo",
    "Changed by somebody else": "Otra persona lo modificó",
    "The body is too large": "El envío es demasiado grande",
    "Not a format that is read here": "Formato no admitido",
    "The request is not valid": "La solicitud no es válida",
    "Too many requests": "Demasiadas solicitudes",
    "Something failed on our side": "Algo falló de nuestro lado",
    "Unavailable for the moment": "No disponible por el momento",
}

_LEAVING = {
    "Nobody else owns {clinics}. Make somebody else an owner there first, or let the clinic leave.": (
        "Nadie más es propietario de {clinics}. Nombre primero a otra persona, o dé de baja la clínica."
    ),
    "Several people have signed in with this address. Find out who is meant, and name the account: {ids}.": (
        "Varias personas entraron con este correo. Averigüe de quién se trata e indique la cuenta: {ids}."
    ),
    "Nobody has this account: nobody ever had, or they were erased.": (
        "Nadie tiene esta cuenta: nunca existió, o ya se eliminó."
    ),
    "Something of this clinic is still being written. Repeat the command in a minute.": (
        "Todavía se está escribiendo algo de esta clínica. Repita el comando en un minuto."
    ),
    "The clinic changed while it was handed over. Repeat the command.": (
        "La clínica cambió mientras se entregaba. Repita el comando."
    ),
}
_REQUESTS = {
    "There is nothing here, or not for you.": "Aquí no hay nada, o no está disponible para usted.",
    "One or more fields are not valid.": "Uno o más campos no son válidos. Revise los que se indican.",
    "It has changed since you read it. Read it again and repeat your change.": (
        "Alguien lo modificó después de que usted lo abrió. Ábralo de nuevo y repita su cambio."
    ),
    "Somebody changed the same thing at the same moment. Repeat your change.": (
        "Otra persona modificó lo mismo en ese momento. Repita su cambio."
    ),
    "This Idempotency-Key was used for a different request. Send a new key.": (
        "Esta Idempotency-Key ya se usó en otra solicitud. Envíe una clave nueva."
    ),
    "An Idempotency-Key is 1 to 128 visible ASCII characters, such as a UUID.": (
        "Una Idempotency-Key tiene de 1 a 128 caracteres ASCII visibles, como un UUID."
    ),
    "This address does not take that method.": "Esta dirección no admite ese método.",
    "Send less at once.": "Envíe menos información a la vez.",
    "Send the body as application/json.": "Envíe los datos como application/json.",
    "Wait a moment before you try again.": "Espere un momento antes de volver a intentarlo.",
    "It has been recorded under the request id. Try again later.": (
        "El error quedó registrado con el número de la solicitud. Inténtelo de nuevo más tarde."
    ),
    "The request cannot be read.": "La solicitud no se puede leer.",
    "The request needs a JSON body.": "La solicitud necesita datos en formato JSON.",
    "Too much is going on at this moment. Try again.": "Hay demasiada actividad en este momento. Inténtelo de nuevo.",
    "The store of photos and files does not answer. Try again in a moment.": (
        "El almacén de fotos y archivos no responde. Inténtelo de nuevo en un momento."
    ),
    "The database does not answer. Try again.": "La base de datos no responde. Inténtelo de nuevo.",
    "The register that is kept apart from the database cannot be written. "
    "Try again, and tell whoever runs the service if it stays so.": (
        "No se puede escribir en el registro que se guarda aparte de la base de datos. "
        "Inténtelo de nuevo y, si continúa, avise a quien administra el servicio."
    ),
    "The register that is kept apart from the database cannot be read. "
    "Try again, and tell whoever runs the service if it stays so.": (
        "No se puede leer el registro que se guarda aparte de la base de datos. "
        "Inténtelo de nuevo y, si continúa, avise a quien administra el servicio."
    ),
    "The book {book} is missing in the register that is kept apart. Bring it back from its copy.": (
        "Falta el libro {book} en el registro que se guarda aparte. Recupérelo de su copia."
    ),
    "The register does not answer.": "El registro no responde.",
    "The journal does not answer.": "El registro de cambios no responde.",
    "The event stream is starting.": "Las novedades en vivo se están iniciando.",
    "The event stream has no connection ({reason}).": "Las novedades en vivo no tienen conexión ({reason}).",
    "This server is going down. Connect again.": "Este servidor se está apagando. Conéctese de nuevo.",
    "A word to cut out has three letters or digits.": "Una palabra por borrar tiene al menos tres letras o dígitos.",
    "It holds an invisible character. Type it anew.": "Contiene un carácter invisible. Escríbalo de nuevo.",
    "An event's id is a whole number, such as 48213.": "El número de un evento es un entero, como 48213.",
    "Pass the next_cursor of the page before, unchanged.": (
        "Envíe sin cambios el next_cursor de la página anterior, o empiece de nuevo por la primera."
    ),
}

_FIELDS = {
    "This field is required.": "Este campo es obligatorio.",
    "This parameter is required.": "Este parámetro es obligatorio.",
    "There is no such field.": "Este campo no existe.",
    "It cannot be blank.": "No puede quedar en blanco.",
    "Write more: at least this many characters: {least}.": "Escriba más: mínimo de caracteres: {least}.",
    "Write less: at most this many characters: {most}.": "Escriba menos: máximo de caracteres: {most}.",
    "Name at least {least}.": "Indique al menos {least}.",
    "Name at most {most}.": "Indique como máximo {most}.",
    "The least is {least}.": "El valor mínimo es {least}.",
    "It must be more than zero. Check the comma.": "Debe ser mayor que cero. Revise la coma decimal.",
    "The most is {most}.": "El valor máximo es {most}.",
    "It does not have the form that this field needs.": "No tiene el formato que este campo necesita.",
    "It is not among the values that this field takes.": "No está entre los valores que este campo admite.",
    "Choose one that exists: its id goes here.": "Elija uno que exista: aquí va su identificador.",
    "Write a text here.": "Escriba aquí un texto.",
    "Write a whole number here, in digits.": "Escriba aquí un número entero, en cifras.",
    "Write a number here, in digits.": "Escriba aquí un número, en cifras.",
    "Say yes or no here: true or false.": "Indique aquí sí o no: true o false.",
    "Give a list here.": "Aquí va una lista.",
    "Give an object with its fields here.": "Aquí va un objeto con sus campos.",
    "Write a date here, such as 2026-03-14.": "Escriba aquí una fecha, como 2026-03-14.",
    "Write a date and time here, such as 2026-03-14T09:30:00-05:00.": (
        "Escriba aquí una fecha con hora, como 2026-03-14T09:30:00-05:00."
    ),
    "Write a time here, such as 09:30.": "Escriba aquí una hora, como 09:30.",
    "Say which time zone it is in: end it with Z or with one such as -05:00.": (
        "Indique la zona horaria: termine con Z o con un desfase como -05:00."
    ),
    "This value is of the wrong kind.": "Este campo necesita otro tipo de valor.",
    "This field does not take this value.": "Este campo no admite este valor.",
    "The body must be a JSON object.": "Los datos deben ser un objeto JSON.",
    "The body is nested too deeply.": "Los datos tienen demasiados niveles, unos dentro de otros.",
    "The body is not valid JSON (byte {place}).": "Los datos no son JSON válido (byte {place}).",
    "A text holds a character that cannot be stored (U+0000). Remove it.": (
        "Un texto contiene un carácter que no se puede guardar (U+0000). Bórrelo."
    ),
    "It holds an invisible character ({character}). Type it anew.": (
        "Contiene un carácter invisible ({character}). Escríbalo de nuevo."
    ),
    "The day lies outside the years 2 to 9998.": "El día está fuera de los años 2 a 9998.",
}

_ACCESS = {
    "Sign in first: POST /api/v1/session, or send a bearer token.": (
        "Primero inicie sesión (POST /api/v1/session) o envíe un token Bearer."
    ),
    "Send Authorization: Bearer followed by a Firebase ID token.": (
        "Envíe Authorization: Bearer seguido de un token de identidad de Firebase."
    ),
    "The session or token is not valid, or has expired. Sign in again.": (
        "La sesión o el token no es válido o ya venció. Inicie sesión de nuevo."
    ),
    "The ID token is not valid, or has expired. Sign in again.": (
        "El token de identidad no es válido o ya venció. Inicie sesión de nuevo."
    ),
    "This session has ended. Sign in again.": "Esta sesión terminó. Inicie sesión de nuevo.",
    "This sign-in has ended. Sign in again.": "Este inicio de sesión ya no vale. Inicie sesión de nuevo.",
    "Sign in with an account that has a mail address.": "Inicie sesión con una cuenta que tenga correo electrónico.",
    "Send this from the clinic's own pages; the Origin header names another site or none.": (
        "Envíelo desde las páginas de la clínica; el encabezado Origin indica otro sitio o ninguno."
    ),
    "Only operators of the service may do this.": "Solo los operadores del servicio pueden hacer esto.",
    "Your roles in this clinic do not include {permission}.": (
        "Su función en esta clínica no incluye {permission}. Pídalo a quien administra la clínica."
    ),
    "Read and accept the documents listed, then repeat the request.": (
        "Lea y acepte los documentos indicados, y luego repita la solicitud."
    ),
    "The identity provider does not answer.": "El proveedor de identidad no responde. Inténtelo de nuevo.",
    "The identity provider does not answer in time.": "El proveedor de identidad no responde a tiempo.",
    "The identity provider's certificates cannot be fetched.": (
        "No se pueden obtener los certificados del proveedor de identidad. Inténtelo de nuevo."
    ),
    "The identity provider's certificates cannot be read.": (
        "No se pueden leer los certificados del proveedor de identidad. Inténtelo de nuevo."
    ),
}

_TENANCY = {
    "A clinic with this address exists already. Choose another slug.": (
        "Ya existe una clínica con esta dirección. Elija otra."
    ),
    "This address is kept for the service. Choose another.": "Esta dirección está reservada. Elija otra.",
    "Not a time zone of the IANA database. Use a name such as America/Guayaquil.": (
        "No es una zona horaria conocida (IANA). Use un nombre como America/Guayaquil."
    ),
    "This person is a member of the clinic already.": "Esta persona ya es miembro de la clínica.",
    "Only an owner may change who owns the clinic.": "Solo un propietario puede cambiar quién es propietario.",
    "This member is the clinic's last active owner. Make somebody else an owner first.": (
        "Este miembro es el último propietario activo de la clínica. Primero nombre propietario a alguien más."
    ),
    "Only a person can accept an invitation.": "Solo una persona puede aceptar una invitación.",
    "This invitation was made to another mail address, or yours is not verified yet. "
    "Sign in with the invited address.": (
        "Esta invitación es para otro correo electrónico, o el suyo aún no está verificado. "
        "Inicie sesión con el correo invitado."
    ),
    "This invitation was accepted before. Ask for a new one.": "Esta invitación ya fue aceptada. Pida una nueva.",
    "This invitation was withdrawn. Ask for a new one.": "Esta invitación fue retirada. Pida una nueva.",
    "This invitation has expired. Ask for a new one.": "Esta invitación venció. Pida una nueva.",
    "Nobody with this mail address has signed in yet; let them sign in once, then grant it.": (
        "Nadie con este correo electrónico ha iniciado sesión; pídale que la inicie una vez y vuelva a intentarlo."
    ),
    "This mail address was not verified when its person signed in; let them verify it and sign in again.": (
        "Este correo electrónico no estaba verificado al iniciar sesión; pídale que lo verifique e inicie de nuevo."
    ),
    "Several people have signed in with this mail address; let the right one sign in with an address of their own.": (
        "Varias personas han iniciado sesión con este correo; pida a la indicada que use un correo propio."
    ),
}

_HOURS = {
    "A day cannot be divided so. Choose 10, 15, 20 or 30 minutes.": (
        "Un día no se puede dividir así. Elija 10, 15, 20 o 30 minutos."
    ),
    "Only a room has a kind of room. Leave it out.": "Solo un consultorio tiene tipo de sala. Déjelo vacío.",
    "Name each species once.": "Indique cada especie una sola vez.",
    "The day lies too far from today. Choose another.": "El día está demasiado lejos de hoy. Elija otro.",
    "A closure lasts at most {most} days. Shorten it, or make several.": (
        "Un cierre dura como máximo {most} días. Acórtelo o cree varios."
    ),
    "The closure ends before it starts.": "El cierre termina antes de empezar. Corrija las horas.",
    "Visits are booked in this time. Move or cancel them first, or close with keep_bookings to leave them.": (
        "Hay citas agendadas en ese tiempo. Primero muévalas o cancélelas, o cierre con keep_bookings para dejarlas."
    ),
}

_PATIENTS = {
    "Write a name only: letters, numbers and spaces, without addresses or other signs.": (
        "Escriba solo un nombre: letras, números y espacios, sin direcciones ni otros signos."
    ),
    "Another patient of this clinic has this chip. Search for the number, and end it there first.": (
        "Otra mascota de esta clínica ya tiene este microchip. Búsquelo por el número y dele fin allí primero."
    ),
    "This patient has this identifier already.": "Esta mascota ya tiene ese identificador.",
    "Write the letters or digits of this identifier.": "Escriba las letras o los dígitos de este identificador.",
    "An ISO chip has digits only. If it has letters, record it as an older chip.": (
        "Un microchip ISO solo tiene dígitos. Si tiene letras, regístrelo como microchip antiguo."
    ),
    "An ISO chip has 15 digits. Read it again; one of 9 or 10 characters is an older chip.": (
        "Un microchip ISO tiene 15 dígitos. Vuelva a leerlo; uno de 9 o 10 caracteres es un microchip antiguo."
    ),
    "An ISO chip begins with a country's or a manufacturer's number. Read it again.": (
        "Un microchip ISO empieza con el número de un país o de un fabricante. Vuelva a leerlo."
    ),
    "An older chip has 9 or 10 letters and digits. Read it again; one of 15 digits is an ISO chip.": (
        "Un microchip antiguo tiene 9 o 10 letras y dígitos. Vuelva a leerlo; uno de 15 dígitos es un microchip ISO."
    ),
    "The last day of an alert cannot lie before today.": "El último día de una alerta no puede ser anterior a hoy.",
    "The day lies after 2100. Check the year, or leave it out.": (
        "La fecha es posterior a 2100. Revise el año o déjela en blanco."
    ),
    "This client is the patient's owner, co-owner or caretaker already. End that first.": (
        "Este cliente ya es propietario, copropietario o cuidador de la mascota. Termine primero esa relación."
    ),
    "A patient always has an owner. Transfer it to its new owner instead.": (
        "Una mascota siempre tiene propietario. Transfiérala a su nuevo propietario."
    ),
    "This client is the patient's owner already. Choose the new owner.": (
        "Este cliente ya es el propietario de la mascota. Elija al nuevo propietario."
    ),
    "Another client of this clinic has this document. Search for the number to find them.": (
        "Otro cliente de esta clínica tiene este documento. Busque el número para encontrarlo."
    ),
    "A document needs its type and its number.": "Un documento necesita su tipo y su número.",
    "A birth date cannot lie after today.": "La fecha de nacimiento no puede ser posterior a hoy.",
    "A precision needs a birth date.": "Para indicar la precisión hace falta la fecha de nacimiento.",
    "You may share your own calendar only. Ask an owner or a manager for this one.": (
        "Usted solo puede compartir su propio calendario. Pida este a un propietario o administrador."
    ),
    "The day of death cannot lie after today.": "La fecha de fallecimiento no puede ser posterior a hoy.",
    "The day of death lies before the birth date. Correct the one that is wrong.": (
        "La fecha de fallecimiento es anterior a la de nacimiento. Corrija la que esté equivocada."
    ),
    "The birth date lies after the day of death. Correct the one that is wrong.": (
        "La fecha de nacimiento es posterior a la de fallecimiento. Corrija la que esté equivocada."
    ),
    "Write at least two letters or digits.": "Escriba al menos dos letras o cifras.",
    "A cédula has 10 digits, the first of which may be a 0.": "La cédula tiene 10 dígitos; el primero puede ser 0.",
    "A cédula consists of digits only.": "La cédula solo lleva dígitos.",
    "A cédula begins with its province, 01 to 24, 30 or 50, and a third digit from 0 to 6.": (
        "La cédula empieza con su provincia, 01 a 24, 30 o 50, y su tercer dígito va de 0 a 6."
    ),
    "The last digit does not match the others. Compare it with the document.": (
        "El último dígito no corresponde a los demás. Compárelo con el documento."
    ),
    "A RUC has 13 digits, the first of which may be a 0.": "El RUC tiene 13 dígitos; el primero puede ser 0.",
    "A RUC consists of digits only.": "El RUC solo lleva dígitos.",
    "A RUC begins with its province, 01 to 24, 30 or 50, and a third digit from 0 to 6, or 9.": (
        "El RUC empieza con su provincia, 01 a 24, 30 o 50, y su tercer dígito va de 0 a 6, o es 9."
    ),
    "The first ten digits are no valid cédula. Compare them with the document.": (
        "Los diez primeros dígitos no forman una cédula válida. Compárelos con el documento."
    ),
    "A RUC ends with its establishment, from 001 on.": "El RUC termina con su establecimiento, desde 001.",
    "A passport's number has 5 to 20 letters or digits.": "El pasaporte tiene de 5 a 20 letras o dígitos.",
    "A passport's number consists of letters from A to Z and digits.": (
        "El pasaporte solo lleva letras de la A a la Z y dígitos."
    ),
    "Write one phone number in digits, without words or an extension.": (
        "Escriba un solo número de teléfono, en dígitos, sin palabras ni extensión."
    ),
    "No country has this code. After + comes the country's code, such as +593.": (
        "Ningún país tiene este código. Después de + va el código del país, como +593."
    ),
    "It has too few or too many digits. Write it with its area code, a foreign one with + first.": (
        "Le faltan o le sobran dígitos. Escríbalo con su código de área; si es extranjero, empiece con +."
    ),
    "The check digit does not match, as with some newer numbers. Compare it with the document.": (
        "El dígito verificador no corresponde, como en algunos números nuevos. Compárelo con el documento."
    ),
    "No such number is known to be in use. Make sure that no digit is missing or wrong.": (
        "No se conoce ningún número así en uso. Revise que no falte ni sobre ningún dígito."
    ),
}

_CLIENTS = {
    "Write one mail address, such as ana@example.com.": "Escriba un solo correo electrónico, como ana@example.com.",
    "The client has this phone or address already.": "El cliente ya tiene este teléfono o correo.",
    "The client has enough contacts. Remove one.": "El cliente ya tiene suficientes contactos. Quite uno.",
    "Say which text the client was shown before agreeing.": (
        "Indique qué texto se le mostró al cliente antes de aceptar."
    ),
    "There is no such canton. Choose one of the list.": "No existe ese cantón. Elija uno de la lista.",
    "This client was merged with another one. Go on with that one.": (
        "Este cliente se unió con otro. Continúe con ese otro."
    ),
    "This is the client itself. Choose the other one of the two.": "Es el mismo cliente. Elija al otro de los dos.",
    "The two have different documents. The one of the client who stays is kept.": (
        "Los dos tienen documentos distintos. Se conserva el del cliente que queda."
    ),
    "Only one of the two is registered as deceased. The client who stays is, from now on.": (
        "Solo uno de los dos está registrado como fallecido. Desde ahora lo está el cliente que queda."
    ),
    "This merge was undone before.": "Esta unión ya se deshizo.",
    "A merge can be undone for 30 days, and these are over.": (
        "Una unión se puede deshacer durante 30 días, y ese plazo terminó."
    ),
    "The client who stayed was merged again since. Undo that merge first.": (
        "El cliente que quedó se volvió a unir después con otro. Primero deshaga esa unión."
    ),
}

_SCHEDULING = {
    "This time was just taken. Choose another.": "Este horario se acaba de ocupar. Elija otro.",
    "The visit lies outside the working hours of who or what it needs. Choose another time.": (
        "La cita queda fuera del horario de quien o de lo que necesita. Elija otra hora."
    ),
    "This visit is {status}; {step} is possible while it is {allowed}.": (
        "Esta cita está {status}; ese paso solo es posible cuando está {allowed}."
    ),
    "Your roles in this clinic do not include records:read.": (
        "Su función en esta clínica no le permite ver la historia clínica (records:read)."
    ),
    "The file is empty. Choose another one.": "El archivo está vacío. Elija otro.",
    "The form breaks off or cannot be read. Send it again.": (
        "El formulario está incompleto o no se puede leer. Envíelo de nuevo."
    ),
    "Send the bytes of the file themselves, or multipart/form-data with the field `file`.": (
        "Envíe los bytes del archivo, o multipart/form-data con el campo `file`."
    ),
    "Your roles in this clinic do not include agenda:overbook.": (
        "Su función en esta clínica no le permite poner dos citas en el mismo horario (agenda:overbook)."
    ),
    "This patient is registered as deceased. If that is wrong, correct it first.": (
        "Esta mascota está registrada como fallecida. Si es un error, corríjalo primero."
    ),
    "Nobody who could see this patient is free in the next hours. Book a time, or overbook.": (
        "En las próximas horas no queda libre quien pueda atender a esta mascota. Agende una hora o use sobrecupo."
    ),
    "This service is not for animals of this species. Choose another service.": (
        "Este servicio no es para animales de esta especie. Elija otro servicio."
    ),
    "It does not serve this service. Choose another, or change the service.": (
        "No atiende este servicio. Elija otro recurso o cambie el servicio."
    ),
    "This is what a visit was before it was moved. Look at the visit itself.": (
        "Esto es lo que era una cita antes de moverla. Revise la cita actual."
    ),
    "A visit cannot be booked in the past.": "No se puede agendar una cita en el pasado.",
    "A visit can be booked up to two years ahead.": "Se puede agendar una cita hasta con dos años de anticipación.",
    "Name each resource once.": "Indique cada recurso una sola vez.",
    "Name the {leading} that serves the visit.": "Indique quién o qué atiende la cita: {leading}.",
    "Name one resource of each kind.": "Indique un solo recurso de cada tipo.",
    "It overlaps another span of the week.": "Se cruza con otro horario de la semana.",
    "The last day lies before the first.": "El último día es anterior al primero.",
    "This offer has ended, and the time may be somebody else's. Choose another time.": (
        "Esta oferta terminó y el horario puede ser ya de otra persona. Elija otro horario."
    ),
    "Offer a time at least {least} minutes ahead, or book it at once.": (
        "Ofrezca un horario con al menos {least} minutos de anticipación, o agende la cita directamente."
    ),
    "This entry of the waitlist is {status}; this is possible while it is {allowed}.": (
        "Esta solicitud de la lista de espera está {status}; eso solo es posible cuando está {allowed}."
    ),
    "It does not lead visits of this service.": "No es quien atiende este servicio. Elija a otra persona o recurso.",
    "The last day is past already.": "El último día ya pasó. Elija uno que esté por venir.",
    "The end lies before the beginning.": "La hora final es anterior a la inicial.",
    "Ask for at most {most} days at once.": "Consulte como máximo {most} días a la vez.",
    "Ask for a year from {first} to {last}.": "Consulte un año entre {first} y {last}.",
    "It is too late to change this visit online. Call the clinic.": (
        "Ya no se puede cambiar esta cita en línea. Llame a la clínica."
    ),
    "Visits of this service are not moved online. Call the clinic.": (
        "Las citas de este servicio no se cambian en línea. Llame a la clínica."
    ),
    "Online this service is booked at least this many minutes ahead: {minutes}. Choose a later time, or call.": (
        "En línea, este servicio se agenda con un mínimo de minutos de anticipación: {minutes}. "
        "Elija una hora posterior o llame."
    ),
    "Online this service is booked at most this many days ahead: {days}. Choose an earlier day, or call.": (
        "En línea, este servicio se agenda con un máximo de días de anticipación: {days}. "
        "Elija un día anterior o llame."
    ),
    "Choose one of the times that are offered.": "Elija una de las horas que se ofrecen.",
}

_RECORDS = {
    "This visit has an encounter already. Write in that one.": "Esta cita ya tiene una consulta. Escriba en ella.",
    "A registration number is needed": "Se necesita el número de registro profesional",
    (
        "Only a vet with a professional registration number can sign or prescribe. Ask an owner or manager to add yours"
        " under the clinic's members."
    ): (
        "Solo un veterinario con número de registro profesional puede firmar o recetar. Pida al propietario o"
        " administrador que registre el suyo en los miembros de la clínica."
    ),
    "This visit was booked for another patient. Open the encounter from the patient's own visit.": (
        "Esta cita es de otra mascota. Abra la consulta desde la cita de la mascota correcta."
    ),
    "This visit was not confirmed or will not take place. Confirm or check it in first.": (
        "Esta cita no está confirmada o no se realizará. Primero confírmela o registre la llegada."
    ),
    "The encounter is signed or was entered in error, so it stays as it is. Write an addendum.": (
        "La consulta está firmada o fue registrada por error y ya no cambia. Escriba una adenda."
    ),
    "This encounter is marked as entered in error already.": "Esta consulta ya consta como registrada por error.",
    "This encounter was entered in error. Open a new one.": ("Esta consulta fue registrada por error. Abra una nueva."),
    "This encounter is signed already. Write an addendum.": "Esta consulta ya está firmada. Escriba una adenda.",
    "Write the note before you sign it.": "Escriba la nota antes de firmarla.",
    "Only what is signed is added to. Write in the note itself.": (
        "Solo se agregan adendas a lo que está firmado. Escriba en la nota misma."
    ),
    "Somebody else wrote since. Your text was kept beside the note: read both, and write what is to stand.": (
        "Otra persona escribió mientras tanto. Su texto se guardó junto a la nota: lea ambos y escriba el definitivo."
    ),
    "What is measured at rest is usually between {least} and {most} {unit}.": (
        "En reposo lo habitual es entre {least} y {most} {unit}."
    ),
    "The encounter is signed or was entered in error. Leave it out, or open a new one.": (
        "La consulta está firmada o fue registrada por error. No la indique, o abra una nueva."
    ),
    "This encounter is another patient's. Open it from the patient's own record.": (
        "Esta consulta es de otra mascota. Ábrala desde la ficha de la mascota correcta."
    ),
    "This weight is marked as entered in error already.": "Este peso ya consta como registrado por error.",
    "The weight is below one gram. Check the comma.": "El peso es menor a un gramo. Revise la coma decimal.",
    "No animal of this species weighs more than {most} kg. Check the comma.": (
        "Ningún animal de esta especie pesa más de {most} kg. Revise la coma decimal."
    ),
    "Capillaries usually refill within {most} seconds.": (
        "El llenado capilar suele tardar como máximo {most} segundos."
    ),
    "Mucous membranes are usually pink.": "Las mucosas suelen ser rosadas.",
    "The weight changed by {percent} % since it was last taken ({former} kg). Weigh again if that is not so.": (
        "El peso cambió {percent} % desde la última vez ({former} kg). Si no es así, vuelva a pesar."
    ),
    "It cannot lie ahead.": "No puede estar en el futuro.",
    "The day cannot lie after today.": "El día no puede ser posterior a hoy.",
    "The problem cannot end before it began.": "El problema no puede terminar antes de empezar.",
    "A problem that has ended is not active. Mark it as resolved, or clear the day.": (
        "Un problema que terminó no está activo. Márquelo como resuelto o borre el día."
    ),
}

_TREATMENTS = {
    "It was not given yet. Record it when it is.": "Aún no se ha aplicado. Regístrelo cuando se aplique.",
    "The client has died": "El cliente falleció",
    "This client is registered as deceased. Choose another one, or correct that first.": (
        "Este cliente está registrado como fallecido. Elija otro, o corríjalo primero."
    ),
    "This day cannot lie after today.": "Esta fecha no puede ser posterior a hoy.",
    "This day lies before the patient's birth date. Correct the one that is wrong.": (
        "Esta fecha es anterior a la fecha de nacimiento del paciente. Corrija la que esté mal."
    ),
    "The day lies before 1980. Check the year.": "La fecha es anterior al año 1980. Revise el año.",
    "The day lies before 1980 or after 2100. Check the year.": (
        "La fecha es anterior al año 1980 o posterior al 2100. Revise el año."
    ),
    "It lies before the patient's birth. Correct the one that is wrong.": (
        "Es anterior al nacimiento de la mascota. Corrija la fecha que esté mal."
    ),
    "It lies after the patient's death. Correct the one that is wrong.": (
        "Es posterior a la muerte de la mascota. Corrija la fecha que esté mal."
    ),
    "This lot had expired on the day of the dose. Take another lot, or correct the date.": (
        "Este lote ya estaba caducado el día de la aplicación. Use otro lote o corrija la fecha."
    ),
    "This lot had expired on the day of the dose. It may not protect: consider to repeat it.": (
        "Este lote ya estaba caducado el día de la aplicación. Puede no proteger: considere repetirla."
    ),
    "The next dose lies after this one.": "La próxima dosis debe ser posterior a esta.",
    "It lies more than ten years ahead. Check the year.": "Faltan más de diez años. Revise el año.",
    "Only what was given elsewhere names who gave it there. Choose the vet instead.": (
        "Solo lo aplicado en otro lugar indica quién lo aplicó allí. Elija al veterinario de la clínica."
    ),
    "What was given elsewhere has no vet of this clinic. Write who gave it under given_by.": (
        "Lo aplicado en otro lugar no lleva un veterinario de esta clínica. Escriba quién lo aplicó en given_by."
    ),
    "Only a vet gives it. Choose one of the clinic's.": (
        "Solo lo aplica un veterinario. Elija a uno de los de la clínica."
    ),
    "The clinic's protocol begins later: {name} at {weeks} weeks of age.": (
        "El protocolo de la clínica empieza más tarde: {name} a las {weeks} semanas de edad."
    ),
    "The age is not known well enough: the next dose is reckoned as for the young. Note when it was born.": (
        "No se conoce bien la edad: la próxima dosis se calcula como para un animal joven. Anote cuándo nació."
    ),
    "The clinic's protocol for this species has no such code. Look among its protocols.": (
        "El protocolo de la clínica para esta especie no tiene ese código. Revíselo entre sus protocolos."
    ),
    "The clinic's protocol says no day for the next dose. Nobody will be reminded unless you recall it.": (
        "El protocolo de la clínica no indica fecha para la próxima dosis. Sin un aviso suyo no habrá recordatorio."
    ),
    "A dose of it is recorded on this day already. If it is the same one, mark one of the two as entered in error.": (
        "Ese día ya consta una dosis de esta vacuna. Si es la misma, marque una de las dos como registrada por error."
    ),
    "The lot is missing. Without it nobody can be told if the maker recalls it.": (
        "Falta el lote. Sin él no se podrá avisar a nadie si el fabricante lo retira."
    ),
    "The weight is missing, so the dose cannot be checked against it. Weigh the patient.": (
        "Falta el peso, así que no se puede comprobar la dosis. Pese a la mascota."
    ),
    "The last weight is {days} days old. Weigh the patient again.": (
        "El último peso es de hace {days} días. Vuelva a pesar a la mascota."
    ),
    "A dose needs its amount and its unit.": "Una dosis necesita su cantidad y su unidad.",
    "It has more than three decimals. Round it yourself, or choose a smaller unit.": (
        "Tiene más de tres decimales. Redondéelo usted o use una unidad más pequeña."
    ),
    "It is below one thousandth. Check the comma.": "Es menor a una milésima. Revise la coma decimal.",
    "The patient is allergic to {substance}.": "La mascota es alérgica a {substance}.",
    "The patient is allergic to {substance}, which is of the same class.": (
        "La mascota es alérgica a {substance}, que es de la misma clase."
    ),
    "{part} is not known here, so its class was not checked for allergies. Check it yourself.": (
        "{part} no está en la tabla de sustancias: no se revisó si el paciente es alérgico a su grupo. Revíselo usted."
    ),
    "A prescription is good for a year at most.": "Una receta es válida como máximo por un año.",
    "This immunization is marked as entered in error already.": "Esta vacuna ya consta como registrada por error.",
    "This deworming is marked as entered in error already.": (
        "Esta desparasitación ya consta como registrada por error."
    ),
    "This prescription is marked as entered in error already.": "Esta receta ya consta como registrada por error.",
    "This allergy is marked as entered in error already.": "Esta alergia ya consta como registrada por error.",
    "This allergy is over already, or was entered in error.": "Esta alergia ya está superada o se registró por error.",
    "A deworming's code is internal or external.": "El código de una desparasitación es internal o external.",
    "Each stretch of age ends later than the one before.": (
        "Cada tramo de edad debe terminar después que el anterior. Revise el orden."
    ),
    "Another entry of the list is for the same.": "Otra línea de la lista es para lo mismo. Quite una de las dos.",
}

_MESSAGING = {
    "Another rule of the list says the same.": "Otra regla de la lista dice lo mismo. Quite una de las dos.",
    "The day lies before 2000 or after 2100. Check the year.": (
        "La fecha es anterior al año 2000 o posterior al 2100. Revise el año."
    ),
    "This message does not wait to be sent by hand: it was sent already, or is not due yet.": (
        "Este mensaje no está por enviarse a mano: ya se envió, o todavía no le toca."
    ),
}

_EXCHANGE = {
    "Some rows have errors": "Algunas filas tienen errores",
    "Go on from another byte": "Continúe desde otro byte",
    "This file is neither a picture nor a PDF. Send a photo, a scan or a PDF.": (
        "Este archivo no es una imagen ni un PDF. Envíe una foto, un escaneo o un PDF."
    ),
    "The PDF is damaged": "El PDF está dañado",
    "This PDF is cut off or damaged. Send it again.": "Este PDF está cortado o dañado. Envíelo de nuevo.",
    "The PDF is locked": "El PDF está bloqueado",
    "This PDF asks for a password. Save it without one and send that.": (
        "Este PDF pide una contraseña. Guárdelo sin ella y envíe ese."
    ),
    "The PDF is too large": "El PDF es demasiado grande",
    "This PDF is too large. Send it with at most {pages} pages, or in parts.": (
        "Este PDF es demasiado grande. Envíelo con {pages} páginas como máximo, o por partes."
    ),
    "This file is not part of the record: it is not shown yet, or cannot be.": (
        "Este archivo no es parte de la historia: todavía no se muestra, o no se puede mostrar."
    ),
    "This attachment is marked as entered in error already.": "Este adjunto ya está marcado como ingresado por error.",
    "The connection dropped before all of it was here. Send it again.": (
        "La conexión se cortó antes de que llegara todo. Envíelo de nuevo."
    ),
    "This is no id of a visit.": "Este no es el identificador de una consulta.",
    "The file is no longer here": "El archivo ya no está aquí",
    "The bytes of this file are no longer here. Send it again.": (
        "El contenido de este archivo ya no está aquí. Envíelo de nuevo."
    ),
    "It may have at most {megabytes} MB.": "Puede tener {megabytes} MB como máximo.",
    "A photo belongs to the patient, not to a visit.": "Una foto pertenece al paciente, no a una consulta.",
    "It has {bytes} bytes, not those that were announced. Send it again.": (
        "Tiene {bytes} bytes, no los que se anunciaron. Envíelo de nuevo."
    ),
    "The store of photos and files does not answer as it should. Try again.": (
        "El almacén de fotos y archivos no responde como debe. Inténtelo de nuevo."
    ),
    "Send the bytes of the file themselves, as application/octet-stream.": (
        "Envíe los bytes del propio archivo, como application/octet-stream."
    ),
    "Your roles in this clinic do not include records:write.": ("Sus roles en esta clínica no incluyen records:write."),
    "A file is being imported into this clinic already. Wait until that is done.": (
        "Ya se está importando un archivo en esta clínica. Espere a que termine."
    ),
    "Everything of this clinic is being exported already. Wait until that is done.": (
        "Ya se está exportando todo lo de esta clínica. Espere a que termine."
    ),
    "Send the file from byte {received} on: up to there it has arrived.": (
        "Envíe el archivo desde el byte {received}: hasta ahí ya llegó."
    ),
    "Rows that cannot be imported: {errors}. Mend them in the file and hand it in anew, or import the others without"
    " them.": (
        "Filas que no se pueden importar: {errors}. Corríjalas en el archivo y súbalo de nuevo, o importe las demás sin"
        " ellas."
    ),
    "This is a workbook or another program's file. Save it as CSV there, and hand in that file.": (
        "Este es un libro de Excel o el archivo de otro programa. Guárdelo allí como CSV y suba ese archivo."
    ),
    "It is being imported at this moment. Wait until that is done.": (
        "Se está importando en este momento. Espere a que termine."
    ),
    "These are not the bytes of the file that was announced. Send it again from the beginning.": (
        "Lo recibido no coincide con el archivo anunciado. Envíelo de nuevo desde el principio."
    ),
    "Only a file that was checked to the end can be imported. Wait, or look at why.": (
        "Solo se puede importar un archivo revisado hasta el final. Espere, o vea por qué no lo está."
    ),
    "The file is longer than it was said to be.": "El archivo es más largo de lo que se anunció.",
    "No row with the names of the columns was found at the beginning. Write one above the others: at least the client's"
    " name, such as nombre, apellidos, cédula, teléfono, mascota, especie.": (
        "No se encontró al comienzo una fila con los nombres de las columnas. Escríbala encima de las demás, al menos"
        " con el nombre del cliente; por ejemplo: nombre, apellidos, cédula, teléfono, mascota, especie."
    ),
    "There are no rows below the names of the columns.": "No hay filas debajo de los nombres de las columnas.",
    "More than {most} rows are too many at once. Split the file.": (
        "Más de {most} filas son demasiadas a la vez. Divida el archivo."
    ),
    "This row names no client, and the row above cannot be imported or names none, either.": (
        "Esta fila no nombra a ningún cliente, y la fila de arriba tampoco, o no se puede importar."
    ),
    "This row names no client, so it is taken for one more of the client in the row above.": (
        "Esta fila no nombra a ningún cliente, así que se toma como otra del cliente de la fila de arriba."
    ),
    "Another animal has this chip, so that it is left out. Read it again.": (
        "Otra mascota ya tiene este chip, así que se omite. Léalo de nuevo."
    ),
    "The spreadsheet has shortened this number, and its last digits are lost. Set the column to text and type it"
    " anew.": (
        "La hoja de cálculo acortó este número y se perdieron sus últimos dígitos. Ponga la columna en formato de texto"
        " y escríbalo de nuevo."
    ),
    "A quotation mark opens here and does not close, or closes in the middle of a cell. Look for the marks in this row"
    " of the file, and remove the one that is too much.": (
        "Aquí se abre una comilla que no se cierra, o que se cierra en medio de una celda. Busque las comillas en esta"
        " fila del archivo y quite la que sobra."
    ),
    "This row is much longer than any list of clients has. Look whether a line break is missing.": (
        "Esta fila es mucho más larga que las de una lista de clientes. Vea si falta un salto de línea."
    ),
    "This row has {cells} cells, and the header {width}. One of them holds the sign that separates the others: put"
    " quotation marks around that cell.": (
        "Esta fila tiene {cells} celdas y el encabezado {width}. Una de ellas contiene el signo que separa a las demás:"
        " ponga esa celda entre comillas."
    ),
    "A cell in quotation marks goes on over several lines. Look whether a mark is too much, so that it"
    " holds what should be rows of their own.": (
        "Una celda entre comillas sigue en varias líneas. Mire si sobra una comilla, de modo que contenga lo"
        " que debería ser otras filas."
    ),
    "It ends with a quotation mark that opens nowhere.": ("Termina con una comilla que no se abre en ninguna parte."),
    "Several people stand in one cell. Write one person in each row; the others of a family can be added"
    " to the animal afterwards, as co-owners.": (
        "Hay varias personas en una sola celda. Escriba una persona por fila; a los demás de la familia puede"
        " añadirlos después a la mascota, como copropietarios."
    ),
    "Only the number is kept of it. Left out: {rest}.": ("De esto se guarda solo el número. Se omite: {rest}."),
    "The client {name} has this document, and this row writes it beside the name {other}. Find out whose"
    " it is, and mend the row or the client.": (
        "El cliente {name} tiene este documento, y esta fila lo trae con el nombre {other}. Averigüe de quién"
        " es y corrija la fila o el cliente."
    ),
    "Row {row} writes this document beside the name {name}, and this row beside {other}. Find out whose"
    " it is, and mend the other row.": (
        "La fila {row} trae este documento con el nombre {name}, y esta fila con {other}. Averigüe de quién"
        " es y corrija la otra fila."
    ),
    "A client of this name is registered already, and the row has neither document nor phone that tells"
    " whether it is the same person. A new client is made.": (
        "Ya está registrado un cliente con este nombre, y la fila no trae documento ni teléfono que diga si"
        " es la misma persona. Se crea un cliente nuevo."
    ),
    "What is known already stays as it is. Not taken from this row: {values}.": (
        "Lo que ya se sabe queda como está. De esta fila no se toma: {values}."
    ),
    "This client has another animal called {name}, with another chip or birth date. A new one is made.": (
        "Este cliente tiene otra mascota llamada {name}, con otro chip u otra fecha de nacimiento. Se crea una nueva."
    ),
    "{name} is registered as deceased, and stays so. If this is another animal, write its birth date or chip.": (
        "{name} consta como fallecida, y así queda. Si es otra mascota, escriba su fecha de nacimiento o su chip."
    ),
    "Importing it broke off, and nothing was imported. Try again; if that fails, ask for help.": (
        "La importación se interrumpió y no se importó nada. Inténtelo otra vez; si falla de nuevo, pida ayuda."
    ),
    "Other clinics are being exported at this moment. Wait until that is done.": (
        "En este momento se están exportando otras clínicas. Espere a que termine."
    ),
    "Several animals stand in one cell: {count} of them are made.": (
        "Hay varias mascotas en una sola celda: se crean {count}."
    ),
    "A client needs a given name and a family name. Write both.": (
        "Un cliente necesita nombre y apellido. Escriba los dos."
    ),
    "Given and family names stand in one cell. Look whether they were told apart rightly.": (
        "Nombres y apellidos están en una sola celda. Vea si se separaron bien."
    ),
    "This is no person's document, and is left out.": "No es el documento de una persona, así que se omite.",
    "Its first zero was missing, as spreadsheets drop it, and was added.": (
        "Faltaba el cero inicial, que las hojas de cálculo suelen quitar, y se agregó."
    ),
    "An animal needs a name. Write one, or leave all of its cells blank.": (
        "Una mascota necesita nombre. Escríbalo, o deje en blanco todas sus celdas."
    ),
    "An animal needs a species, such as perro or gato.": "Una mascota necesita especie, como perro o gato.",
    "This is no species that is known here, so it is taken for another animal.": (
        "No se reconoce esta especie, así que se registra como otra."
    ),
    "No canton has this name, or several have it. It is left out.": (
        "Ningún cantón tiene este nombre, o lo tienen varios. Se omite."
    ),
    "Write macho or hembra. It is left out.": "Escriba macho o hembra. Se omite.",
    "Write sí or no. It is left out.": "Escriba sí o no. Se omite.",
    "This is no date that can be read. Write day, month and year, such as 14/03/2021.": (
        "No se puede leer esta fecha. Escriba día, mes y año, como 14/03/2021."
    ),
    "This is no age that can be read, and is left out. Write it as 3 años or 8 meses.": (
        "No se puede leer esta edad, así que se omite. Escríbala como 3 años u 8 meses."
    ),
    "Its day and month stand in another order than in the other rows. Make sure that the date is right.": (
        "El día y el mes están en otro orden que en las demás filas. Verifique que la fecha sea correcta."
    ),
    "It holds a character that cannot be read. Type it anew.": "Contiene un carácter ilegible. Escríbalo de nuevo.",
    "It is too long, or not of the form that is needed here.": (
        "Es demasiado largo, o no tiene la forma que aquí se necesita."
    ),
    "It looks like a formula and is taken as text.": "Parece una fórmula; se toma como texto.",
    "Send the bytes of the file themselves, as text/csv.": "Envíe los bytes del propio archivo, como text/csv.",
}

_DOCUMENTS = {
    "Not to be printed": "No se puede imprimir",
    "Only a signed visit has a summary. Sign it first.": ("Solo una consulta firmada tiene resumen. Fírmela primero."),
    "It was entered in error, so that it is not printed.": "Fue registrado por error, por eso no se imprime.",
    "This document was withdrawn already.": "Este documento ya fue anulado.",
}

_RIGHTS = {
    "An animal of this client is being seen. Complete that visit, then erase the client.": (
        "Un animal de este cliente está siendo atendido. Termine esa cita y luego elimine al cliente."
    ),
    "A file that is being imported may name this client. Apply or delete the import, then erase.": (
        "Un archivo que se está importando puede nombrar a este cliente. Aplíquelo o bórrelo y luego elimine."
    ),
    "There is another rule for this kind of data. Keep one of them.": (
        "Hay otra regla para este tipo de datos. Deje una de ellas."
    ),
    "Somebody under fifteen asks through a representative. Write who that is, and what they are to them.": (
        "Quien tiene menos de quince años ejerce sus derechos por medio de un representante."
        " Escriba quién es y qué parentesco tiene."
    ),
    "The law is of 26 May 2021, and nothing was asked under it before. Check the year.": (
        "La ley es del 26 de mayo de 2021 y antes no se podía pedir nada con ella. Revise el año."
    ),
    "The client's record says who this is. Leave it out.": "La ficha del cliente ya dice quién es. No lo escriba aquí.",
    "Choose the client who asks, or write the name of whoever does, and where they are answered.": (
        "Elija al cliente que lo pide, o escriba el nombre de quien lo pide y dónde se le responde."
    ),
    "This step needs this field.": "Este paso necesita este campo.",
    "This step does not take this field. Leave it out.": "Este paso no lleva este campo. Quítelo.",
    "What is granted in full needs no reason. Leave it out, or say that it is granted in part.": (
        "Lo que se concede por completo no necesita motivo. Quítelo, o indique que se concede en parte."
    ),
    "Say by which exception of the law it is not granted in full.": (
        "Indique por qué excepción de la ley no se concede por completo."
    ),
    "For this reason a request is refused as a whole. Choose an exception of the law.": (
        "Por este motivo se niega la solicitud entera. Elija una excepción de la ley."
    ),
    "A clarification may be asked once, and was. Decide by what is known.": (
        "Solo se puede pedir una aclaración, y ya se pidió. Decida con lo que se sabe."
    ),
    "A clarification may be asked within five days of receipt, and these are over.": (
        "La aclaración se puede pedir en los cinco días siguientes a la recepción, y ya pasaron."
    ),
    "This client was erased, and nothing is written of them. Withdraw the request.": (
        "Este cliente fue eliminado y no se escribe nada más de él. Retire la solicitud."
    ),
    "The request's state does not allow this step. Read it again to see what was done.": (
        "El estado de la solicitud no permite este paso. Vuelva a leerla para ver qué se hizo."
    ),
    "Whoever asks has to prove who they are before anything is decided.": (
        "Quien lo pide debe demostrar quién es antes de que se decida algo."
    ),
    "Whoever asks has proven who they are. Choose another reason.": (
        "Quien lo pide ya demostró quién es. Elija otro motivo."
    ),
    "The clarification was answered, was not asked, or may still be answered.": (
        "La aclaración ya se respondió, no se pidió o todavía se puede responder."
    ),
    "An objection is always heeded as to marketing. Grant it, or grant it in part.": (
        "La oposición al marketing siempre se atiende. Concédala, o concédala en parte."
    ),
    "The request has to be granted before the client is erased. Decide it first.": (
        "La solicitud debe concederse antes de eliminar al cliente. Decídala primero."
    ),
    "Erase the client first, and name that erasure here.": (
        "Primero elimine los datos del cliente e indique aquí esa eliminación."
    ),
    "Tell whoever was given the data that it was corrected, and confirm it here.": (
        "Avise de la corrección a quienes recibieron los datos y confírmelo aquí."
    ),
}

SENTENCES: dict[str, str] = {
    **_LEAVING,
    **_TITLES,
    **_LEGAL,
    **_MEDIA,
    **_REQUESTS,
    **_FIELDS,
    **_ACCESS,
    **_TENANCY,
    **_PATIENTS,
    **_CLIENTS,
    **_HOURS,
    **_SCHEDULING,
    **_RECORDS,
    **_TREATMENTS,
    **_MESSAGING,
    **_EXCHANGE,
    **_DOCUMENTS,
    **_RIGHTS,
}
"""Spanish patterns by English ones."""

WORDS: dict[str, str] = {
    "requested": "solicitada",
    "confirmed": "confirmada",
    "checked_in": "en sala de espera",
    "in_exam": "en consulta",
    "ready": "lista",
    "completed": "terminada",
    "cancelled": "cancelada",
    "no_show": "marcada como inasistencia",
    "waiting": "en espera",
    "offered": "con una oferta pendiente",
    "booked": "agendada",
    "left": "retirada",
    "expired": "vencida",
    "per minute": "por minuto",
    "clinic:read": "ver los datos de la clínica",
    "agenda:read": "ver la agenda",
    "agenda:write": "agendar citas",
    "agenda:overbook": "agendar sobre otra cita",
    "patients:read": "ver clientes y mascotas",
    "patients:write": "registrar clientes y mascotas",
    "immunizations:read": "ver las vacunas",
    "records:read": "ver la historia clínica",
    "records:write": "escribir en la historia clínica",
    "clinic:configure": "configurar la clínica",
    "members:manage": "administrar a los miembros",
    "privacy:manage": "atender solicitudes de datos personales",
    "audit:read": "ver el registro de auditoría",
    "vet": "veterinario",
    "room": "consultorio",
    "equipment": "equipo",
}
"""Spanish of the words of ours that sentences are filled in with."""
