"""Watching processes that a test starts, by what /proc says of them."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own that runs `code`; what it prints can be read from `stdout`."""
    return subprocess.Popen(  # noqa: S603 # the test's own code
        [sys.executable, "-c", code, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )


def is_alive(pid: int) -> bool:
    """Whether the process runs: one that ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def descendants(pid: int) -> set[int]:
    """Every living process below this one."""
    children: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(words[1]), set()).add(int(stat.parent.name))
    found: set[int] = set()
    frontier = {pid}
    while frontier:
        frontier = set().union(*(children.get(each, set()) for each in frontier)) - found
        found |= frontier
    return {each for each in found if is_alive(each)}


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
