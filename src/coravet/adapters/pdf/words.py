"""What sheets say, in the Spanish of Ecuador."""

TITLES = {
    "card": "Carné de vacunación",
    "prescription": "Receta veterinaria",
    "visit_summary": "Resumen de la consulta",
}

SPECIES = {
    "dog": "Perro",
    "cat": "Gato",
    "rabbit": "Conejo",
    "bird": "Ave",
    "horse": "Caballo",
    "cow": "Bovino",
    "pig": "Cerdo",
    "reptile": "Reptil",
    "other": "Otra",
}

SEX = {"male": "Macho", "female": "Hembra"}

SOURCES = {"here": "En esta clínica", "external": "En otro lugar"}

TARGETS = {"internal": "Interna", "external": "Externa", "both": "Interna y externa"}

ROUTES = {
    "oral": "por vía oral",
    "subcutaneous": "por vía subcutánea",
    "intramuscular": "por vía intramuscular",
    "intravenous": "por vía intravenosa",
    "intradermal": "por vía intradérmica",
    "intranasal": "por la nariz",
    "inhaled": "inhalada",
    "ophthalmic": "en el ojo",
    "otic": "en el oído",
    "rectal": "por vía rectal",
    "spot_on": "en gotas sobre la piel",
    "topical": "sobre la piel",
}

VITALS = {
    "weight_kg": ("Peso", "kg"),
    "temperature_c": ("Temperatura", "°C"),
    "heart_rate": ("Frecuencia cardíaca", "lpm"),
    "respiratory_rate": ("Frecuencia respiratoria", "rpm"),
    "body_condition": ("Condición corporal", "de 9"),
    "pain": ("Dolor", "de 10"),
    "mucous_membranes": ("Mucosas", ""),
    "capillary_refill_seconds": ("Llenado capilar", "s"),
}

MUCOUS_MEMBRANES = {
    "pink": "rosadas",
    "pale": "pálidas",
    "white": "blancas",
    "injected": "congestivas",
    "icteric": "ictéricas",
    "cyanotic": "cianóticas",
    "muddy": "terrosas",
}

PROBLEMS = {"suspected": "sospecha", "resolved": "resuelto", "ruled_out": "descartado"}

NOTE = {
    "subjective": "Anamnesis",
    "objective": "Examen",
    "assessment": "Valoración",
    "plan": "Plan",
}

APPROXIMATE = "aprox."
