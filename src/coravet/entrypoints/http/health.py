"""Whether the process lives, and whether it can serve."""

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from coravet.entrypoints.http.access import public
from coravet.entrypoints.http.call import Call

_PROBES = public("Probes of the machine that runs the service sign in nowhere; the answer says nothing else.")


def probes(*, documented: bool) -> list[HTTPRouteHandler]:
    """The two probes: under the API as its contract says, and at the root, where machines look for them."""

    @get("/health/live", opt=_PROBES, operation_id="healthLive", tags=["Health"], include_in_schema=documented)
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @get("/health/ready", opt=_PROBES, operation_id="healthReady", tags=["Health"], include_in_schema=documented)
    async def ready(call: NamedDependency[Call]) -> dict[str, str]:
        """The parts that requests need answer; 503 otherwise."""
        await call.ports.ready()
        return {"status": "ok"}

    return [live, ready]
