"""``vigla serve`` that sends itself SIGKILL at a chosen moment: for the fault tests only.

``python killer.py <point> <nth> <moment> serve``: at the ``nth`` call of a function of ``point``, either
``before`` it runs, ``after`` it has returned, or ``within`` it, a few milliseconds after it began.
"""

import functools
import importlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

MOMENTS = ("before", "within", "after")
WITHIN_S = 0.02

POINTS: dict[str, tuple[tuple[str, str], ...]] = {
    "accept": (("vigla.bus.local", "LocalBus.append"),),
    "fsync": (("os", "fsync"), ("os", "fdatasync")),
    "parquet": (("pyarrow.parquet", "ParquetWriter.write_table"), ("pyarrow.parquet", "ParquetWriter.close")),
    "add": (("vigla.storage.commits", "Commits.add"),),  # within it: the catalog's commit follows at once
    "committed": (("vigla.bus.local", "LocalBus.commit"),),  # before it: the catalog's commit is just done
    "merge": (("vigla.storage.merge", "merge"),),
    "retention": (("vigla.storage.maintenance", "Maintenance._retain_by_age"),),
    "clean-up": (("vigla.storage.maintenance", "Maintenance._clean"),),
}


class Trap:
    """Counts calls and kills the process at the chosen one."""

    def __init__(self, nth: int, moment: str) -> None:
        self._left = nth
        self._moment = moment
        self._lock = threading.Lock()

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, trapped. Of a coroutine function, the call alone: its work comes ``within``."""

        @functools.wraps(function)
        def trapped(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                self._left -= 1
                due = self._left == 0
            if due and self._moment == "before":
                _die()
            if due and self._moment == "within":
                threading.Thread(target=_die_soon, daemon=True).start()
            result = function(*arguments, **named)
            if due and self._moment == "after":
                _die()
            return result

        return trapped


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_soon() -> None:
    time.sleep(random.uniform(0, WITHIN_S))
    _die()


def _set_trap(trap: Trap, module: str, path: str) -> None:
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = vars(owner)[parent]
    setattr(owner, name, trap.around(vars(owner)[name]))


def main() -> None:
    """Set the traps, then run the command line as it is."""
    point, nth, moment, *command = sys.argv[1:]
    trap = Trap(int(nth), moment)
    for module, path in POINTS[point]:
        _set_trap(trap, module, path)
    sys.argv = ["vigla", *command]
    importlib.import_module("vigla.cli.main").main()


if __name__ == "__main__":
    main()
