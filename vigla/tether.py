"""Run as a script, ``tether.py PARENT COMMAND...``: becomes COMMAND, ended by the kernel when PARENT dies.

A parent that is killed cannot stop its children; Linux's PR_SET_PDEATHSIG (prctl(2)) does, and survives
``exec``. Elsewhere the command runs without that guard. Only standard library, to start at once.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tethered(command: list[str]) -> list[str]:
    """The command line that runs ``command`` as a child that does not outlive this process."""
    return [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), *command]


def _become(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the guard was up
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  a command line that this process's parent built


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
