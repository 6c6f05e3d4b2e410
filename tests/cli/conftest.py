"""What the tests of commands as processes share."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

GONE_WITHIN_S = 40.0


@pytest.fixture
def still_running() -> Callable[[set[int]], set[int]]:
    """Which of some processes still run after a fair time to end."""

    def wait(pids: set[int]) -> set[int]:
        deadline = time.monotonic() + GONE_WITHIN_S
        while (left := {pid for pid in pids if _runs(pid)}) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    return wait


def _runs(pid: int) -> bool:
    """Whether the process lives; a dead one that nobody has waited for yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # gone before or while it was read
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
