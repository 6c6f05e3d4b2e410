"""The mesh: snapshots of a large one, pushes to many proxies, and what a sidecar adds to a request.

``python -m benchmarks.mesh [--services 1000] [--changes 40] [--requests 4000]``.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import mesh_latency, mesh_push, mesh_snapshots
from benchmarks.report import publish, table, verdict

FULL_GOAL_S, CHANGE_GOAL_MS = 1.0, 100.0
PROXIES = (10, 100)
PUSH_SERVICES = 100
MIB = 2**20
Row = tuple[str, ...]


def snapshots(services: int, changes: int, folder: Path) -> str:
    """One sidecar of a large mesh."""
    found = mesh_snapshots.measure(services, changes, folder)
    p50, p95 = (quantile(found.changes_s, q) * 1000 for q in (0.5, 0.95))
    reached = verdict(reached=found.first_s < FULL_GOAL_S), verdict(reached=p95 < CHANGE_GOAL_MS)
    rows = [
        ("first snapshot, s", f"{found.first_s:.2f}", f"{FULL_GOAL_S}", reached[0]),
        ("after one change, p50 ms", f"{p50:.0f}", "", ""),
        ("after one change, p95 ms", f"{p95:.0f}", f"{CHANGE_GOAL_MS:.0f}", reached[1]),
        ("snapshot, MiB", f"{found.size / MIB:.1f}", "", ""),
        ("memory of the process for it, MiB", f"{found.memory / MIB:.0f}", "", ""),
    ]
    title = f"## One sidecar that sees {services:,} services, each with a VirtualService\n\n"
    return title + table(("what", "measured", "goal", ""), rows)


def pushes(changes: int, folder: Path) -> str:
    """From apply to the proxies."""
    rows: list[Row] = []
    for count in PROXIES:
        found = mesh_push.simulated(count, PUSH_SERVICES, changes, folder / str(count))
        rows.append((f"{count} simulated proxies, each", *_milliseconds(found.each_s)))
        rows.append((f"{count} simulated proxies, the last of them", *_milliseconds(found.last_s)))
    found_s = mesh_push.real(changes, folder / "real")
    rows.append(("2 real Envoys, until requests are routed anew", *_milliseconds(found_s)))
    title = (
        f"## From `apply` to the new routes at the proxies, {PUSH_SERVICES} services\n\n"
        "Begins when the HTTP request is sent; the pilot waits 100 ms for more changes before it pushes.\n\n"
    )
    return title + table(("proxies", "p50 ms", "p95 ms"), rows)


def latency(requests: int, folder: Path) -> str:
    """What two sidecars add."""
    rows: list[Row] = []
    for connections, found in mesh_latency.measure(requests, folder).items():
        direct, meshed = found.direct_s, found.meshed_s
        added = tuple(f"{(quantile(meshed, q) - quantile(direct, q)) * 1000:.2f}" for q in (0.5, 0.95))
        ratio = f"ratio {found.meshed_rate / found.direct_rate:.2f}"
        path = f"{connections} in flight: "
        rows += [
            (f"{path}without sidecars", *_milliseconds(direct, 2), f"{found.direct_rate:,.0f}"),
            (f"{path}through two, mutual TLS", *_milliseconds(meshed, 2), f"{found.meshed_rate:,.0f}"),
            (f"{path}added", *added, ratio),
        ]
    title = (
        f"## Latency of a request: {requests:,} on each path in a closed loop\n\n"
        "Client, both Envoys, application, collector and lake share the machine; every request is traced,\n"
        "logged to the access log service and counted.\n\n"
    )
    return title + table(("path", "p50 ms", "p95 ms", "requests/s"), rows)


def quantile(seconds: Sequence[float], share: float) -> float:
    """A quantile between two measured values."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[round(share * 100) - 1]


def _milliseconds(seconds: Sequence[float], digits: int = 0) -> tuple[str, str]:
    p50, p95 = (f"{quantile(seconds, q) * 1000:.{digits}f}" for q in (0.5, 0.95))
    return p50, p95


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--requests", type=int, default=4000)
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        parts = [
            snapshots(options.services, options.changes, folder),
            pushes(options.changes, folder),
            latency(options.requests, folder),
        ]
    publish("mesh", "The mesh", "\n\n".join(parts))


if __name__ == "__main__":
    main()
