"""Two machines of two workers each on one database: whatever happens on one shows on the streams of the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from time import monotonic

import httpx
import pytest
from docs.live.client import Refused, follow
from tests.integration.live.served import CLINIC, Member, Site, Stream, served
from tests.integration.live.test_pages import visit
from tests.integration.parts.databases import Databases
from tests.integration.parts.people import People
from tests.unit.live.parts import until

pytestmark = pytest.mark.alone

HERE, THERE = 0, 1
LANES = 4
"""Trials that are under way at a time."""


@pytest.fixture(scope="module")
async def site(
    databases: Databases, people: People, auth_emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("machines")
    async with served(databases, people, auth_emulator, folder, machines=2) as found:
        yield found
    for log in folder.iterdir():
        assert "Traceback" not in log.read_text()


async def closed_after(stream: Stream, act: Callable[[], Awaitable[object]], reason: str) -> float | None:
    """Seconds from the answer to an act until the stream was closed for this reason; None where it was before."""
    asked = monotonic()
    await act()
    answered = monotonic()
    at, frame = await stream.heard("stream.closed")
    if at < asked:
        return None
    assert frame.data == {"reason": reason}
    return max(at - answered, 0)


async def trials(count: int, trial: Callable[[int], Awaitable[float | None]]) -> list[float]:
    """The seconds that so many trials measured, shortest first; each lane does one after the other."""

    async def lane(number: int) -> list[float]:
        found: list[float] = []
        while len(found) < count // LANES:
            seconds = await trial(number)
            if seconds is not None:
                found.append(seconds)
        return found

    lanes = await asyncio.gather(*(lane(number) for number in range(LANES)))
    return sorted(seconds for found in lanes for seconds in found)


@pytest.mark.long
async def test_deactivated_on_another_machine(site: Site) -> None:
    """A deactivation on one machine ends the stream on the other: of 200 trials 99 in 100 within a second."""
    members = [await site.join("staff") for _ in range(LANES)]
    turns = [HERE] * LANES

    async def trial(lane: int) -> float | None:
        member, here = members[lane], turns[lane]
        turns[lane] = there = 1 - here
        place = f"{CLINIC}/members/{member.id}"
        stream = await site.open(member.headers, machine=there)

        async def deactivate() -> None:
            await site.ask("PATCH", place, site.headers, {"active": False}, machine=here)

        # None: the last deactivation caught up with the stream. Whoever comes back at once may be told twice.
        seconds = await closed_after(stream, deactivate, "access_ended")
        await site.ask("PATCH", place, site.headers, {"active": True}, machine=here)
        return seconds

    found = await trials(200, trial)
    assert found[197] <= 1  # two of two hundred may take longer


@pytest.mark.long
async def test_logged_out_on_another_machine(site: Site) -> None:
    """Logging out on one machine ends the session's streams on the other, and no other session's: of 40 trials 19 in 20
    within a second."""
    members = [await site.join("staff", by_cookie=True) for _ in range(LANES)]
    others = [await site.open(member.headers, machine=THERE) for member in members]

    async def trial(lane: int) -> float | None:
        await asyncio.sleep(1)  # a cookie of the same second is the same cookie
        session = await site.log_in(members[lane].person)
        stream = await site.open(session, machine=THERE)
        seconds = await closed_after(
            stream, lambda: site.ask("DELETE", "/session", session, machine=HERE), "session_revoked"
        )
        assert await site.status(f"{CLINIC}/events", session, machine=THERE) == httpx.codes.UNAUTHORIZED
        return seconds

    found = await trials(40, trial)
    assert found[37] <= 1
    assert not any(other.ended.is_set() for other in others)


@pytest.mark.long
async def test_ended_in_firebase(site: Site) -> None:
    """Of 20 people each whom Firebase disables, deletes or signs out at once, every stream ends within 30 seconds."""
    people = [await site.join("staff", by_cookie=number % 2 == 0) for number in range(63)]
    streams = [await site.open(member.headers, machine=number % 2) for number, member in enumerate(people)]
    await asyncio.sleep(1.5)  # Firebase counts in whole seconds: a session of the very one of its revocation stays
    acts = [site.people.disable, site.people.delete, site.people.revoke]

    async def end(number: int, member: Member) -> float:
        await acts[number % 3](member.person)
        told = monotonic()
        at, frame = await streams[number].heard("stream.closed", seconds=60)
        assert frame.data == {"reason": "session_revoked"}
        return at - told

    ended = [asyncio.create_task(end(number, member)) for number, member in enumerate(people[:60])]
    assert max(await asyncio.gather(*ended)) <= 30
    assert not any(stream.ended.is_set() for stream in streams[60:])


async def test_a_role_is_taken_in_mid_stream(site: Site) -> None:
    """While both machines write, a stream holds what its person might see at that place in the order, and no more."""
    manager = await site.join("manager")
    all_of_it = await site.open(site.headers, machine=HERE)
    streams = [await site.open(manager.headers, machine=machine) for machine in (HERE, THERE, HERE, THERE)]
    over = False

    async def write(machine: int) -> None:
        number = 0
        while not over:
            number += 1
            offer = {"email": f"nobody-{machine}-{number}@clinica.test", "roles": ["staff"]}
            await site.ask("POST", f"{CLINIC}/invitations", site.headers, offer, machine=machine)
            await site.register(machine=machine)

    writing = [asyncio.create_task(write(machine)) for machine in (HERE, THERE)]
    for turn in range(6):
        await asyncio.sleep(0.3)
        roles = ["staff"] if turn % 2 == 0 else ["manager"]
        await site.ask("PATCH", f"{CLINIC}/members/{manager.id}", site.headers, {"roles": roles}, machine=turn // 2 % 2)
    await asyncio.sleep(0.3)
    over = True
    await asyncio.gather(*writing)

    last = await _last_of(site, all_of_it)
    allowed, expected, hidden = True, [], 0
    for kind, number in all_of_it.kinds():
        if kind == "member.roles_changed":
            allowed = not allowed
        if allowed or kind in {"client.created", "member.roles_changed"}:
            expected.append((kind, number))
        else:
            hidden += 1
    assert hidden > 6
    for stream in streams:
        while stream.kinds()[-1][1] != last:
            stream.news.clear()
            async with asyncio.timeout(30):
                await stream.news.wait()
        assert stream.kinds() == expected


@pytest.mark.long
async def test_clients_over_a_restart(site: Site) -> None:
    """Through the restart of its machine our client and a page hear of everything once, until their access ends."""
    manager, member = await site.join("manager", by_cookie=True), await site.join("staff", by_cookie=True)
    all_of_it = await site.open(site.headers, machine=THERE)
    heard: list[int] = []
    listening = asyncio.Event()

    async def listen() -> None:
        http = httpx.AsyncClient(base_url=site.address("", HERE), headers=manager.headers)
        async with http, aclosing(follow(http, "la-palma", 0)) as events:
            async for event in events:
                listening.set()
                if event.event == "client.created":
                    heard.append(int(event.id))

    async with AsyncExitStack() as stack:
        client = asyncio.create_task(listen())
        stack.callback(client.cancel)
        quick = {"pause": 100, "longest": 1000}
        page = await visit(stack, "follow", site.address(CLINIC, HERE), member.headers["Cookie"], quick)
        await page.tells("open")
        await asyncio.wait_for(listening.wait(), 30)
        await site.register(machine=THERE)
        await page.tells("event")
        await site.machines[HERE].stop()
        for _ in range(5):
            await site.register(machine=THERE)
        await site.machines[HERE].start()
        await site.register(machine=HERE)
        last = await _last_of(site, all_of_it)
        told = [number for kind, number in all_of_it.kinds() if kind == "client.created"]
        assert len(told) == 8

        await until(lambda: last in heard)
        assert heard[-8:] == told
        assert len(heard) == len(set(heard))
        assert [(await page.tells("event", "resync")).get("event", {}).get("id") for _ in told[1:]] == told[1:]

        await site.ask("DELETE", "/session", member.headers)
        assert await page.tells("event", "refused") == {"refused": "session_revoked"}
        await site.ask("PATCH", f"{CLINIC}/members/{manager.id}", site.headers, {"active": False})
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(client, 60)
        assert (refused.value.status, refused.value.code) == (404, "not_found")


async def _last_of(site: Site, stream: Stream) -> int | None:
    """The number of one more event, once it is on this stream: all that was committed before it is, too."""
    made = await site.register()
    while True:
        for _, frame in stream.frames:
            if frame.event == "client.created" and frame.data["subject"]["id"] == made:
                return frame.id
        stream.news.clear()
        async with asyncio.timeout(30):
            await stream.news.wait()
