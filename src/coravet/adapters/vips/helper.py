"""A process that converts pictures, one after another: `python -m coravet.adapters.vips.helper MEGABYTES`.

What decodes files of strangers stands alone: it has none of the service's secrets, writes no file, and holds no more
memory than it was given. It ends by itself when a picture takes too long, or when nobody is there to ask.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from coravet.adapters.vips.convert import convert, prepare
from coravet.adapters.vips.pdfs import clean
from coravet.adapters.vips.wire import LENGTH, Answer, Cleaned, Converted, Failed, Job, Refused, framed
from coravet.core.kernel.errors import DomainError
from coravet.core.media.pdfs import PdfTooLarge
from coravet.core.media.pictures import MOST_BYTES, PictureTooLarge

NICENESS = 10
"""Whoever waits for a page goes before whoever waits for a picture."""

KEPT = 128 * 2**20
"""Bytes that a helper holds between two pictures; more, as a large picture leaves, goes back to the machine."""


def main() -> None:
    """Answer until there is nothing more to read."""
    _confine(int(sys.argv[1]) * 2**20)
    # Whatever a library prints goes nowhere: it may quote what is in the file.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    prepare()
    jobs = msgspec.msgpack.Decoder(Job)
    while (body := _read(sys.stdin.buffer)) is not None:
        job = jobs.decode(body)
        signal.setitimer(signal.ITIMER_PROF, job.seconds)  # nothing catches it
        answer = framed(_answer(Path(job.path), pdf=job.pdf))
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(answer)
        _give_back()


def _confine(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


def _answer(path: Path, *, pdf: bool) -> Answer:
    too_large = Refused(PdfTooLarge.__name__ if pdf else PictureTooLarge.__name__)
    try:
        if path.stat().st_size > MOST_BYTES:
            return too_large
        return Cleaned(clean(path.read_bytes())) if pdf else Converted(convert(path.read_bytes()))
    except DomainError as error:
        return Refused(type(error).__name__)
    except MemoryError:
        return too_large
    except Exception as error:  # noqa: BLE001 -- told to whoever asked
        return Failed(type(error).__name__)


def _give_back() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl keeps nothing
    if trim and int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() > KEPT:
        trim(0)


def _read(jobs: BinaryIO) -> bytes | None:
    length = jobs.read(LENGTH)
    return jobs.read(int.from_bytes(length, "big")) if len(length) == LENGTH else None


if __name__ == "__main__":
    main()
