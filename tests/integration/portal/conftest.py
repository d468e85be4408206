"""The application of the HTTP tests, once more for this folder, and a clinic that guests find."""

import pytest
from tests.integration.http.conftest import service
from tests.integration.http.service import Clinic, Service

__all__ = ["service"]


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """An equipped clinic, fresh for each test."""
    return await service.equip(await service.open_clinic("portal"))
