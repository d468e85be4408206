"""A live layer in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from tests.unit.live.parts import Layer

from coravet.core.kernel.actor import ClinicId


@pytest.fixture
async def layer() -> AsyncIterator[Layer]:
    async with AsyncExitStack() as stack:
        layer = Layer(stack)
        await stack.enter_async_context(layer.dispatcher)
        await layer.start(layer.hub)
        stack.push_async_callback(layer.close)
        yield layer


@pytest.fixture
def clinic() -> ClinicId:
    return ClinicId(uuid4())


@pytest.fixture
def other_clinic() -> ClinicId:
    return ClinicId(uuid4())
