"""Hearing that the process is asked to stop before its server does."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop(callback: Callable[[], None]) -> Iterator[None]:
    """Call back on the running loop at SIGTERM or SIGINT; then whoever handled the signal before.

    A server that stops waits for its open responses before it ends the lifespan, and streams are open until they are
    told: the lifespan's end comes too late for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals; the lifespan's end has to do
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        inner = before[signal.Signals(number)]
        if callable(inner):
            inner(number, frame)

    for number, inner in before.items():
        if callable(inner):
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, inner in before.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, inner)
