"""Waiting for what a running server does soon."""

import time
from collections.abc import Callable
from typing import Any

WITHIN_S = 30.0


def eventually(check: Callable[[], object]) -> Any:
    """What the check gives as soon as it is true; fails when it is not within ``WITHIN_S``."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := check()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found
    return found
