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

DEWORMINGS = {"internal": "Interna", "external": "Externa", "both": "Interna y externa"}

ROUTES = {
    "oral": "por vía oral",
    "topical": "sobre la piel",
    "otic": "en el oído",
    "ophthalmic": "en el ojo",
    "subcutaneous": "bajo la piel",
    "intramuscular": "intramuscular",
    "intravenous": "intravenosa",
    "inhaled": "inhalada",
    "rectal": "por vía rectal",
    "other": "otra vía",
}

VITALS = {
    "weight_kg": ("Peso", "kg"),
    "temperature_c": ("Temperatura", "°C"),
    "heart_rate": ("Frecuencia cardíaca", "lpm"),
    "respiratory_rate": ("Frecuencia respiratoria", "rpm"),
    "body_condition": ("Condición corporal", "de 9"),
    "pain": ("Dolor", "de 10"),
    "mucous_membranes": ("Mucosas", ""),
    "capillary_refill_s": ("Llenado capilar", "s"),
}

NOTE = {
    "subjective": "Motivo y antecedentes",
    "objective": "Examen",
    "assessment": "Valoración",
    "plan": "Plan",
}

APPROXIMATE = "aprox."
