"""Run as a script, ``tether.py PARENT USER COMMAND...``: becomes COMMAND, which the kernel ends with PARENT.

USER is ``UID:GID``, or ``-`` for that of the parent.

A parent that is killed cannot stop its children; Linux's PR_SET_PDEATHSIG (prctl(2)) does, and survives
``exec``. Elsewhere the command runs without that guard. Only standard library, to start at once.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


SAME = "-"


def tethered(command: list[str], user: tuple[int, int] | None = None) -> list[str]:
    """The command line that runs ``command`` as a child that does not outlive this process.

    Args:
        command: with its arguments.
        user: user and group id that it runs as, which takes root; None: those of this process.
    """
    who = f"{user[0]}:{user[1]}" if user else SAME
    return [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), who, *command]


def _become(parent: int, user: str, command: list[str]) -> None:
    if user != SAME:
        uid, gid = map(int, user.split(":"))
        os.fchown(sys.stdout.fileno(), uid, gid)  # the command may open /dev/stdout anew
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # after the change of user, which takes the guard away
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the guard was up
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  a command line that this process's parent built


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
