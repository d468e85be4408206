"""The words that the demo's clinics are made of: names of the coast of Ecuador, its animals, and what they come for."""

from coravet.core.patients.model import Species

WOMEN = (
    "Ana", "Andrea", "Blanca", "Carmen", "Daniela", "Diana", "Elena", "Esther", "Gabriela", "Gloria", "Inés", "Jéssica",
    "Karina", "Lorena", "Lucía", "María", "María José", "Mariana", "Mónica", "Narcisa", "Paola", "Rosa", "Sofía",
    "Teresa", "Verónica", "Ximena", "Yadira",
)  # fmt: skip
MEN = (
    "Alfredo", "Ángel", "Byron", "Carlos", "César", "Cristhian", "Darío", "Édison", "Fabián", "Franklin", "Galo",
    "Héctor", "Iván", "Jairo", "Jorge", "José Luis", "Kléber", "Luis", "Manuel", "Néstor", "Óscar", "Pedro", "Ramón",
    "Segundo", "Tomás", "Washington", "Wilmer",
)  # fmt: skip
FAMILIES = (
    "Alcívar", "Anchundia", "Angulo", "Ayoví", "Barreto", "Bravo", "Cagua", "Caicedo", "Cedeño", "Chávez", "Delgado",
    "Estupiñán", "García", "Guerrero", "Intriago", "Loor", "Macías", "Mendoza", "Mera", "Moreira", "Muñoz", "Párraga",
    "Peña", "Pincay", "Quiñónez", "Sánchez", "Solórzano", "Torres", "Valencia", "Vélez", "Vera", "Zambrano",
)  # fmt: skip

COMMON: tuple[tuple[Species, int], ...] = (
    ("dog", 51),
    ("cat", 24),
    ("cow", 9),
    ("bird", 4),
    ("horse", 4),
    ("rabbit", 3),
    ("pig", 2),
    ("reptile", 2),
    ("other", 1),
)
"""Species, each with how often it comes beside the others."""

LIVESTOCK: tuple[Species, ...] = ("cow", "horse", "pig")
SMALL: tuple[Species, ...] = tuple(species for species, _ in COMMON if species not in LIVESTOCK)

NAMES: dict[Species, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "dog": (
        ("Canela", "Chispa", "Kira", "Laika", "Luna", "Negra", "Nena", "Princesa", "Reina", "Sasha"),
        ("Bruno", "Coco", "Firulais", "Lobo", "Max", "Oso", "Peluche", "Rambo", "Rocky", "Scooby", "Toby", "Zeus"),
    ),
    "cat": (("Mía", "Minina", "Nala", "Pelusa"), ("Bigotes", "Copito", "Félix", "Gaspar", "Michi", "Simba")),
    "rabbit": (("Bambina", "Copa"), ("Algodón", "Orejas")),
    "bird": (("Paquita", "Lola"), ("Kiko", "Lorenzo", "Pepe")),
    "reptile": (("Manuelita",), ("Donatello", "Rayo")),
    "other": (("Pelusina",), ("Pelusín",)),
    "cow": (("Clavelina", "Estrella", "Mariposa", "Paloma", "Pinta"), ("Barroso", "Lucero")),
    "horse": (("Centella", "Mora"), ("Alazán", "Moro", "Relámpago")),
    "pig": (("Chancha", "Panchita"), ("Tocino",)),
}
"""Of females, and of males."""

BREEDS: dict[Species, tuple[str, ...]] = {
    "dog": (
        "Mestizo", "Mestizo", "Mestizo", "Beagle", "Bulldog francés", "Caniche", "Chihuahua", "Golden retriever",
        "Labrador retriever", "Pastor alemán", "Pequinés", "Pitbull", "Rottweiler", "Schnauzer", "Shih tzu",
    ),
    "cat": ("Doméstico de pelo corto", "Doméstico de pelo corto", "Angora", "Persa", "Siamés"),
    "rabbit": ("Cabeza de león", "Holandés"),
    "bird": ("Loro", "Periquito"),
    "reptile": ("Tortuga",),
    "other": ("Hámster",),
    "cow": ("Brahman", "Brown swiss", "Criollo", "Holstein"),
    "horse": ("Criollo", "Cuarto de milla"),
    "pig": ("Criollo", "Landrace"),
}  # fmt: skip
COLORS = ("Amarillo", "Atigrado", "Blanco", "Blanco y negro", "Café", "Canela", "Gris", "Negro", "Negro con fuego")

CANCELLED = ("Llamó para cancelar.", "No tiene transporte hoy.", "Ya se siente mejor.", "Viaja esta semana.")
