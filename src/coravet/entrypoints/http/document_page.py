"""The page that people see who scan a document's code: self-contained, without script, fetching nothing."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Literal, NamedTuple

from coravet.core.records.views import DocumentState
from coravet.entrypoints.http.language import Language

_STYLE = """
:root { color-scheme: light dark; }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.4rem; padding: .8rem 1rem; border-radius: .5rem; color: #fff; }
.valid { background: #176b35; } .withdrawn, .unknown { background: #a3241c; } .busy { background: #54595e; }
dt { opacity: .75; font-size: .9rem; } dd { margin: 0 0 .8rem; }
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but this very style."""


class _Words(NamedTuple):
    """What the page says in one language. `day` is how a date is written, in the places of year, month and day."""

    title: str
    number: str
    issued: str
    clinic: str
    day: str
    headings: dict[str, str]
    sentences: dict[str, str]


_WORDS: dict[Language, _Words] = {
    "es": _Words(
        "Verificación de documento",
        "Número",
        "Emitido el",
        "Clínica",
        "{2:02}/{1:02}/{0:04}",
        {
            "valid": "Documento válido",
            "withdrawn": "Documento anulado",
            "unknown": "Documento desconocido",
            "busy": "Demasiadas consultas",
        },
        {
            "valid": "Esta clínica emitió el documento y no lo ha anulado."
            " Compruebe que el número y la fecha sean los del papel.",
            "withdrawn": "Esta clínica emitió el documento y después lo anuló: ya no es válido.",
            "unknown": "Nadie emitió un documento con este código. Puede ser falso o el código puede estar dañado:"
            " pregunte a la clínica que figura en él.",
            "busy": "Desde su conexión se consultó demasiado a menudo. El documento aún no se ha comprobado:"
            " espere un momento y vuelva a escanear el código.",
        },
    ),
    "en": _Words(
        "Document check",
        "Number",
        "Issued on",
        "Clinic",
        "{0:04}-{1:02}-{2:02}",
        {
            "valid": "Valid document",
            "withdrawn": "Withdrawn document",
            "unknown": "Unknown document",
            "busy": "Too many requests",
        },
        {
            "valid": "This clinic issued the document and has not withdrawn it."
            " Check that the number and the date are those on the paper.",
            "withdrawn": "This clinic issued the document and withdrew it later: it is no longer valid.",
            "unknown": "Nobody issued a document with this code. It may be forged, or the code may be damaged:"
            " ask the clinic that it names.",
            "busy": "Too much was asked from your connection. The document has not been checked yet:"
            " wait a moment, then scan the code again.",
        },
    ),
}


def document_page(found: DocumentState | Literal["unknown", "busy"], language: Language) -> str:
    """The page about a document; or that there is none with that code, or that there is no telling just now."""
    words = _WORDS[language]
    state, facts = found if isinstance(found, str) else found.state, ""
    if isinstance(found, DocumentState):
        on = words.day.format(found.issued_on.year, found.issued_on.month, found.issued_on.day)
        facts = "".join(
            f"<dt>{name}</dt><dd>{escape(said)}</dd>"
            for name, said in ((words.number, str(found.number)), (words.issued, on), (words.clinic, found.clinic))
        )
        facts = f"<dl>{facts}</dl>"
    return (
        f"<!doctype html><html lang='{language}'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{words.title}</title><style>{_STYLE}</style>"
        f"<h1 class='{state}'>{words.headings[state]}</h1><p>{words.sentences[state]}</p>{facts}</html>"
    )
