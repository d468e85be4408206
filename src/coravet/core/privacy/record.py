"""The record of processing activities (registro de actividades de tratamiento) that the LOPDP asks for, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from coravet.core.privacy.activities import ACTIVITIES, Activity, Words
from coravet.core.privacy.classification import StoredColumn

Language = Literal["es", "en"]


_KINDS = {
    "personal": Words("personal", "personal"),
    "sensitive": Words("sensible", "sensitive"),
    "free_text": Words("texto libre", "free text"),
}
_ENDS = {
    "clear": Words("se vacía", "emptied"),
    "replace": Words("se reemplaza", "replaced"),
    "cut": Words("se recorta lo que la nombra", "what names them is cut out"),
    "delete_row": Words("se borra la fila", "row deleted"),
}
_CONTROLLERS = {
    "clinic": Words(
        "La clínica es responsable; CoraVet, encargado", "The clinic is the controller; CoraVet, its processor"
    ),
    "coravet": Words("CoraVet es responsable", "CoraVet is the controller"),
}
_TITLE = Words("Registro de actividades de tratamiento", "Record of processing activities")
_HEAD = Words(
    "Hecho por `coravet privacy record` a partir de lo que el servicio guarda: cada columna dice qué cuenta de una"
    " persona y qué hace con ella una eliminación. No se edita a mano. Las bases legales y los plazos provisionales"
    " esperan la revisión de un abogado.",
    "Made by `coravet privacy record --language en` of what the service stores: each column says what it tells of a"
    " person and what an erasure does to it. Not to be edited by hand. Legal bases and provisional terms await a"
    " lawyer's review.",
)
_LABELS: tuple[tuple[str, Words], ...] = (
    ("purpose", Words("Finalidad", "Purpose")),
    ("basis", Words("Base legal", "Legal basis")),
    ("people", Words("Titulares", "Data subjects")),
    ("recipients", Words("Destinatarios", "Recipients")),
    ("transfers", Words("Transferencias internacionales", "International transfers")),
    ("kept", Words("Conservación", "Retention")),
)
_CONTROLLER = Words("Responsable", "Controller")
_COLUMNS = Words("| Tabla | Columna | Categoría | Al eliminar |", "| Table | Column | Category | On erasure |")
_IDS_ONLY = Words("Solo identificadores, fechas y palabras fijas", "Ids, dates and fixed words alone")


def record(columns: Iterable[StoredColumn], language: Language, activities: Sequence[Activity] = ACTIVITIES) -> str:
    """The record in one language, ended by one newline."""
    telling: dict[str, list[StoredColumn]] = {}
    for column in columns:
        if column.privacy.kind != "none":
            telling.setdefault(column.table, []).append(column)
    said = 1 if language == "en" else 0
    parts = [f"# {_TITLE[said]}", _HEAD[said]]
    parts += [_section(number, activity, telling, said) for number, activity in enumerate(activities, 1)]
    return "\n\n".join(parts) + "\n"


def _section(number: int, activity: Activity, telling: Mapping[str, list[StoredColumn]], said: int) -> str:
    lines = [f"## {number}. {activity.name[said]}", ""]
    lines.append(f"- **{_CONTROLLER[said]}**: {_CONTROLLERS[activity.controller][said]}.")
    lines += [f"- **{label[said]}**: {getattr(activity, name)[said]}." for name, label in _LABELS]
    rows = [
        f"| `{column.table}` | `{column.name}` | {_KINDS[column.privacy.kind][said]}"
        f" | {_ENDS[column.privacy.on_erasure][said]} |"
        for table in sorted(activity.tables)
        for column in telling.get(table, [])
    ]
    if rows:
        lines += ["", _COLUMNS[said], "|---|---|---|---|", *rows]
    silent = [f"`{table}`" for table in sorted(activity.tables) if table not in telling]
    if silent:
        lines += ["", f"{_IDS_ONLY[said]}: {', '.join(silent)}."]
    return "\n".join(lines)
