"""Killed at any moment, a lake opens with exactly what its offset says."""

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.storage.lakes import maintenance, on_disk, opened, span_ids
from vigla.model.partitions import Partition

WRITE = """
import sys, threading
from pathlib import Path
from tests.contracts.rows import numbered
from tests.storage.lakes import maintenance, opened
with opened(Path(sys.argv[1])) as lake:
    upkeep = maintenance(lake, merge_interval_s=0.01, maintenance_interval_s=0.05)
    upkeep.start()
    print("writing", flush=True)
    for n in range(lake.committed(Partition("traces")), 1_000_000):
        lake.buffer({"spans": numbered(n * 10, 10)}, upto(lake, traces=n + 1))
        lake.flush()
"""
ROUNDS = 4


def test_every_committed_row_stands_exactly_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(ROUNDS):
        writer = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        time.sleep(chance.uniform(0.3, 1.0))
        writer.kill()
        writer.communicate()
        with opened(tmp_path) as lake:
            assert span_ids(lake) == list(range(lake.committed(Partition("traces")) * 10))
    with opened(tmp_path) as lake:
        upkeep = maintenance(lake)
        upkeep.run_once()
        upkeep.run_once()
        assert span_ids(lake) == list(range(lake.committed(Partition("traces")) * 10))
        assert {path.name for path in on_disk(tmp_path)} == {f.path.name for f in lake.commits.files("spans")}
