"""What the identity provider says of people ends their streams."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from tests.unit.live.parts import Layer, until

from coravet.core.kernel.actor import ClinicId
from coravet.entrypoints.live.sweep import SWEEP_SECONDS


@pytest.mark.parametrize("fate", ["disable", "delete", "revoke"])
async def test_whoever_no_longer_stands(layer: Layer, clinic: ClinicId, fate: str) -> None:
    """Disabled, deleted or signed out everywhere: the person's streams end, and what was kept of them is forgotten."""
    viewer = layer.viewer(clinic, "owner")
    gone = [await layer.connect(viewer) for _ in range(2)]
    colleague = await layer.connect(layer.viewer(clinic, "staff"))
    await layer.sweeping(every=0.02)
    await asyncio.sleep(0.05)
    assert all(client.quiet() for client in [*gone, colleague])
    layer.clock.instant += timedelta(seconds=1)
    getattr(layer.identity, fate)(viewer.uid)
    for client in gone:
        frame = await client.next()
        assert (frame.event, frame.data) == ("stream.closed", {"reason": "session_revoked"})
    assert set(layer.forgotten) == {viewer.uid}
    assert not colleague.ended.is_set()


async def test_a_session_begun_after_the_revocation_stays(layer: Layer, clinic: ClinicId) -> None:
    """Signing out everywhere ends the sessions from before; each stream is judged by its own session."""
    old = layer.viewer(clinic, "owner")
    stale = await layer.connect(old)
    layer.clock.instant += timedelta(seconds=1)
    layer.identity.revoke(old.uid)
    new = msgspec.structs.replace(old, session_id=uuid4(), issued_at=layer.clock.now())
    fresh = await layer.connect(new)
    await layer.sweeping(every=0.02)
    assert (await stale.next()).data == {"reason": "session_revoked"}
    await asyncio.sleep(0.05)
    assert not fresh.ended.is_set()


async def test_one_question_per_sweep(layer: Layer, clinic: ClinicId) -> None:
    """A sweep asks once about each person, however many streams they have; with nobody there it asks nothing."""
    asked: list[list[str]] = []
    standing = layer.identity.standing

    async def noted(uids: list[str]) -> object:
        asked.append(uids)
        return await standing(uids)

    layer.identity.standing = noted
    await layer.sweeping(every=0.02)
    await asyncio.sleep(0.05)
    assert asked == []
    viewers = [layer.viewer(clinic, "staff") for _ in range(3)]
    for viewer in viewers * 3:
        await layer.connect(viewer)
    begun = len(asked)
    await until(lambda: len(asked) >= begun + 3)
    everybody = sorted(viewer.uid for viewer in viewers)
    assert asked[begun:] == [everybody] * (len(asked) - begun)


async def test_without_the_provider_proofs_age(layer: Layer, clinic: ClinicId) -> None:
    """Sweeps renew a stream's proof; while the provider does not answer, the proof ages and the stream goes on."""
    client = await layer.connect(layer.viewer(clinic, "staff"))
    [stream] = layer.hub.streams()
    at_the_door = stream.proved_at
    await layer.sweeping(every=0.01)
    await until(lambda: stream.proved_at > at_the_door)
    layer.identity.reachable = False
    asked, last = layer.identity.calls, stream.proved_at
    await until(lambda: layer.identity.calls > asked)
    assert stream.proved_at == last
    assert not client.ended.is_set()


async def test_expired_by_the_clock(layer: Layer, clinic: ClinicId) -> None:
    """A session whose end has come by the clock is swept, whatever the stream's own timer says."""
    client = await layer.connect(layer.viewer(clinic, "staff"))
    await layer.sweeping(every=0.02)
    layer.clock.instant += timedelta(hours=1)
    assert (await client.next()).data == {"reason": "session_revoked"}


async def test_sweeps_leave_time_to_answer() -> None:
    """A sweep begins every 20 s, so that with the provider's answer of at most 5 s a revocation shows within 30 s."""
    assert SWEEP_SECONDS <= 20
