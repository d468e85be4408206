"""The application of the HTTP tests, once more for this folder, and a mail server."""

from tests.integration.http.conftest import clinic, service
from tests.integration.messaging.conftest import mails

__all__ = ["clinic", "mails", "service"]
