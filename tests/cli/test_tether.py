"""A tethered child ends with its parent."""

import subprocess
import sys
from collections.abc import Callable

import pytest

PARENT = """
import subprocess
from vigla.tether import tethered
print(subprocess.Popen(tethered(["/bin/sleep", "60"])).pid, flush=True)
input()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG")
def test_child_ends_when_its_parent_is_killed(still_running: Callable[[set[int]], set[int]]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert not still_running({child})
