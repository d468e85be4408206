"""The application of the HTTP tests, once more for this folder."""

from tests.integration.http.conftest import clinic, service

__all__ = ["clinic", "service"]
