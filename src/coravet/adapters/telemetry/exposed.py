"""Measures on a port of their own, gathered from every process of a command."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the library learns where processes write what they measure."""

_MEMORY = Path("/dev/shm")  # noqa: S108 -- the folder made in it has a name of its own that nobody can guess
_GONE = 0
"""What counters and durations of processes that died are kept under: no process has this id."""


@contextmanager
def exposed(host: str, port: int) -> Iterator[None]:
    """Serve what this process and those it starts measure, at http://<host>:<port>/metrics, while the context lasts.

    Enter it before anything measures: the library decides when it is imported how values are kept.

    Raises:
        OSError: the address cannot be listened on.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported already, and keeps its values where nobody else sees them")
    # In memory where there is some, so that no disk that is busy holds a request up.
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix="coravet-measures-", dir=place, ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415 -- see above

        registry = CollectorRegistry()
        registry.register(_Gathered(Path(folder)))
        server, thread = start_http_server(port, host, registry)
        # Server processes are forked; one that outlived us would keep the port.
        os.register_at_fork(after_in_child=server.socket.close)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Gathered:
    """Everything that the processes of this command have measured, and of levels what living ones say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = Lock()

    def collect(self) -> "Iterable[Metric]":
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 -- as in `exposed`

        with self._turn:
            pids = {int(path.stem.rpartition("_")[2]) for path in self._folder.glob("*.db")}
            for pid in pids - {_GONE}:
                if not _is_alive(pid):
                    self._bury(pid)
            return list(MultiProcessCollector(None, str(self._folder)).collect())

    def _bury(self, pid: int) -> None:
        """Add what a process counted to what others that died did: a counter never falls, nor do files pile up."""
        from prometheus_client.mmap_dict import MmapedDict  # noqa: PLC0415 -- as in `exposed`

        for path in self._folder.glob(f"*_{pid}.db"):
            kind = path.name.partition("_")[0]
            if kind != "gauge":
                kept = MmapedDict(str(self._folder / f"{kind}_{_GONE}.db"))
                for key, value, _, _ in MmapedDict.read_all_values_from_file(str(path)):
                    kept.write_value(key, kept.read_value(key)[0] + value, 0.0)
                kept.close()
            path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
