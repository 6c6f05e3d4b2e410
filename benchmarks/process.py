"""CPU and memory of a process, from Linux's ``/proc``."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """CPU time that the process has used, user and system, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory that the process holds now, shared pages included."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def forget_peak(pid: int) -> None:
    """Let ``peak_bytes`` begin anew (``clear_refs`` in proc(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def peak_bytes(pid: int) -> int:
    """Most memory that the process held since its start, or since ``forget_peak``."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resident_bytes(pid)


@dataclass(slots=True)
class MemoryTrack:
    """Resident memory over time."""

    seconds: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def add(self, at_s: float, resident: int) -> None:
        """Take a sample."""
        self.seconds.append(at_s)
        self.bytes.append(resident)

    @property
    def peak_mib(self) -> float:
        """Largest sample."""
        return max(self.bytes) / 2**20

    def slope_mib_per_minute(self) -> float:
        """Least-squares slope over the second half, when caches have filled."""
        half = len(self.seconds) // 2
        if len(self.seconds) - half < 2:
            return 0.0
        slope = np.polyfit(self.seconds[half:], self.bytes[half:], 1)[0]
        return float(slope) * 60 / 2**20
