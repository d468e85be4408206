"""Whether the process lives, and whether it can serve."""

from litestar import get

from coravet.entrypoints.http.access import public
from coravet.entrypoints.http.call import Call

_PROBES = public("Probes of the machine that runs the service sign in nowhere; the answer says nothing else.")


@get(["/health/live", "/api/v1/health/live"], opt=_PROBES, operation_id="healthLive", tags=["Health"])
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get(["/health/ready", "/api/v1/health/ready"], opt=_PROBES, operation_id="healthReady", tags=["Health"])
async def ready(call: Call) -> dict[str, str]:
    """The parts that requests need answer; 503 otherwise."""
    await call.ports.ready()
    return {"status": "ok"}
