"""The application of the HTTP tests, once more for this folder."""

from tests.integration.http.conftest import clinic, service
from tests.integration.legal.conftest import alone

__all__ = ["alone", "clinic", "service"]
