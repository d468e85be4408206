"""Become a program that ends with the process that started it, and that may run as another user.

`python -ISB tether.py <parent's pid> <signal> <uid:gid, or -> <program> [argument]...`: run as a file, by `command`, so
that a parent with threads need not run Python between fork and exec.

PostgreSQL refuses to be root. Root therefore starts it as another user and leaves it one capability, to pass over file
permissions: the checkout may lie where only root can go, /root say, and opening such folders to everybody would outlast
the server.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

# linux/prctl.h, linux/securebits.h and linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def command(program: list[str], *, on_parent_death: signal.Signals, user: tuple[int, int] | None = None) -> list[str]:
    """What to execute, from the thread that lives longest, for `program` to get the signal when that ends.

    `user` is (uid, gid); None keeps the present one.
    """
    identity = "-" if user is None else f"{user[0]}:{user[1]}"
    interpreter = [sys.executable, "-ISB", str(Path(__file__))]
    return [*interpreter, str(os.getpid()), str(int(on_parent_death)), identity, *program]


def _become(uid: int, gid: int, libc: ctypes.CDLL) -> None:
    # Else a change of user drops the capabilities, and access(2), by which PostgreSQL finds its programs, ignores them.
    _checked(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    mask = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    _checked(libc.capset(header, sets), "keep CAP_DAC_OVERRIDE")
    _checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0), "pass on CAP_DAC_OVERRIDE")


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"may not {what}")


def _main(parent: str, number: str, identity: str, program: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if identity != "-":
        uid, gid = identity.split(":")
        try:
            _become(int(uid), int(gid), libc)
        except OSError as error:
            sys.exit(
                f"FATAL:  root may not start it as user {uid} here ({error.strerror}); run as a normal user instead"
            )
    # After the change of user, which clears it.
    _checked(libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0), "follow its parent")
    if os.getppid() == int(parent):
        os.execv(program[0], program)  # noqa: S606 # nothing but exec keeps the process, its parent and its signal


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
