"""The application of the HTTP tests, once more for this folder, and a clinic whose vet has a number."""

import pytest
from tests.integration.http.conftest import service
from tests.integration.http.service import Clinic, Service

__all__ = ["service"]


@pytest.fixture
async def clinic(service: Service) -> Clinic:
    """A clinic with a patient and a vet, fresh for each test."""
    clinic = await service.equip(await service.open_clinic("papeles"))
    await service.treat(clinic)
    return clinic
