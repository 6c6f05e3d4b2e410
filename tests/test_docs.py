"""Pages made from code are current."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_reference_pages_are_current() -> None:
    script = ROOT / "scripts" / "reference_pages.py"
    subprocess.run([sys.executable, script, "--check"], check=True, cwd=ROOT)
