"""``vigla demo``: the first trace comes soon, every service is in it, and nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import httpx
import pytest

SERVICES = {"traffic", "productpage", "details", "reviews", "ratings", "productpage.default"}
APPLICATIONS, ENVOYS = 9, 10  # of examples/bookinfo/mesh
SEEN_WITHIN_S = 60.0
FIRST_TRACE_CPU_S = 30.0  # what two cores can do in the 15 s within which the first trace must be seen
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STOPPED_WITHIN_S = 40.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "vigla", "demo", f"--storage-path={tmp_path}", "--rate=20"]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        yield process
        process.kill()


def _url(output: IO[str]) -> str:
    """What the demo says to open, once it says so."""
    for line in output:
        if found := re.search(r"Open (http://\S+)", line):
            return found[1]
    raise AssertionError("the demo ended without a trace")


def _children(parent: int) -> set[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return {int(pid) for pid in listed.stdout.split()}


def _descendants(parent: int) -> set[int]:
    children = _children(parent)
    return children.union(*map(_descendants, children))


def _cpu_s(pids: set[int]) -> float:
    """CPU seconds that the processes have used, by proc(5): fields 14 and 15, counted behind the name."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / TICKS_PER_S


def _services(url: str) -> set[str]:
    deadline = time.monotonic() + SEEN_WITHIN_S
    found: set[str] = set()
    while not found >= SERVICES and time.monotonic() < deadline:
        found = set(httpx.get(f"{url}/api/services").json()["data"])
        time.sleep(0.1)
    return found


def test_every_service_is_seen_and_ctrl_c_stops_all(
    demo: subprocess.Popen[str], still_running: Callable[[set[int]], set[int]]
) -> None:
    assert demo.stderr is not None
    url = _url(demo.stderr)
    assert _services(url) >= SERVICES
    processes = _descendants(demo.pid)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(STOPPED_WITHIN_S) == 0
    assert len(processes) == 3 + APPLICATIONS + ENVOYS
    assert not still_running(processes)


def test_first_trace_costs_less_than_two_cores_can_do_in_15_s(demo: subprocess.Popen[str]) -> None:
    """In CPU time, because other processes may keep this machine busy."""
    assert demo.stderr is not None
    _url(demo.stderr)
    assert _cpu_s({demo.pid, *_descendants(demo.pid)}) < FIRST_TRACE_CPU_S


def test_children_do_not_outlive_a_killed_demo(
    demo: subprocess.Popen[str], still_running: Callable[[set[int]], set[int]]
) -> None:
    assert demo.stderr is not None
    _url(demo.stderr)
    processes = _descendants(demo.pid)
    demo.kill()
    demo.wait()
    assert not still_running(processes)
