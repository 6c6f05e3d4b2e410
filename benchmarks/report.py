"""Where a benchmark ran, and its table as it is printed and kept."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """CPU, cores, memory, kernel and interpreter in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB memory, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    padded = (
        " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True))
        for row in [header, rule, *rows]
    )
    return "\n".join(f"| {line} |" for line in padded)


def verdict(*, reached: bool) -> str:
    """How a goal is marked."""
    return "reached" if reached else "**missed**"


def publish(name: str, title: str, body: str) -> None:
    """Print a result and keep it as ``results/<name>.md`` with machine, date and command."""
    command = " ".join(["python -m", f"benchmarks.{name}", *sys.argv[1:]])
    text = (
        f"# {title}\n\n"
        f"- Machine: {machine()}\n"
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n"
        f"- Command: `{command}`\n\n{body}\n"
    )
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
