"""A live layer in memory."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from tests.unit.live.parts import Layer, running_layer

from coravet.core.kernel.actor import ClinicId


@pytest.fixture
async def layer() -> AsyncIterator[Layer]:
    async with running_layer() as layer:
        yield layer


@pytest.fixture
def clinic() -> ClinicId:
    return ClinicId(uuid4())


@pytest.fixture
def other_clinic() -> ClinicId:
    return ClinicId(uuid4())
