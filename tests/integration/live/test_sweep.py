"""Sweeps over thousands, against the real emulator."""

from bench.sweep import MOST_CALLS, MOST_SECONDS, PEOPLE, Crowd


async def test_five_thousand(auth_emulator: str) -> None:
    """5,000 people are verified by 50 calls in under 2 s; whoever was disabled or deleted ends, and nobody else."""
    async with Crowd(auth_emulator, PEOPLE) as crowd:
        swept = [await crowd.swept() for _ in range(3)]
        assert {(each.calls, each.proved, each.ended) for each in swept} == {(MOST_CALLS, PEOPLE, 0)}
        assert min(each.seconds for each in swept) < MOST_SECONDS
        await crowd.disable(crowd.uids[0])
        await crowd.delete([crowd.uids[1]])
        last = await crowd.swept()
        assert (last.proved, last.ended) == (PEOPLE - 2, 2)
        assert {stream.viewer.uid for stream in crowd.streams if stream.closed} == set(crowd.uids[:2])
