"""The page behind a document's code."""

from datetime import date

import pytest

from coravet.core.records.views import DocumentState
from coravet.entrypoints.http.document_page import document_page
from coravet.entrypoints.http.language import Language


def test_clinic_is_text() -> None:
    """A clinic's name is shown as it is written, whatever it holds."""
    page = document_page(DocumentState(7, date(2026, 3, 1), "<script>Ñ & 'Co'", "valid"), "es")
    assert "&lt;script&gt;Ñ &amp; &#x27;Co&#x27;" in page
    assert "<script" not in page
    assert "01/03/2026" in page


@pytest.mark.parametrize("language", ["es", "en"])
def test_states(language: Language) -> None:
    """Valid, withdrawn, unknown and not asked are four pages, each in both languages; the last two name nobody."""
    found = DocumentState(7, date(2026, 3, 1), "Clínica", "valid")
    withdrawn = DocumentState(7, date(2026, 3, 1), "Clínica", "withdrawn")
    pages = [document_page(each, language) for each in (found, withdrawn, "unknown", "busy")]
    assert len(set(pages)) == 4
    assert all(page.startswith(f"<!doctype html><html lang='{language}'>") for page in pages)
    assert ["<dl>" in page for page in pages] == [True, True, False, False]
