"""Series like those of the compliance tester's demo services, as OpenMetrics text and in memory."""

import math
from collections.abc import Iterator
from random import Random

from query.promql.memory import MemorySeries
from query.promql.series import Labels

INTERVAL_S = 5
LENGTH_S = 3 * 3600
SHIFT_S = 0.137
"""Samples lie off the steps of queries: there ranges that are open on the left or not are the same."""

INSTANCES = tuple(f"demo.promlabs.com:{port}" for port in (10000, 10001, 10002))
BOUNDS = ("0.0001", "0.00015", "0.00025", "0.0005", "0.001", "0.01", "0.1", "1", "+Inf")
Samples = list[tuple[float, float]]


def series(start: int) -> Iterator[tuple[Labels, Samples]]:
    """All series with their samples (seconds, value)."""
    random = Random(42)
    times = [start + SHIFT_S + INTERVAL_S * i for i in range(LENGTH_S // INTERVAL_S)]
    for number, instance in enumerate(INSTANCES):
        for kind in ("used", "cached", "buffers", "free"):
            scale = random.uniform(1e8, 5e9)
            values = [scale * (2 + math.sin(t / 600 + number)) + random.uniform(0, 1e6) for t in times]
            yield _named("demo_memory_usage_bytes", instance, type=kind), _pairs(times, values)
        for mode in ("idle", "system", "user"):
            yield (
                _named("demo_cpu_usage_seconds_total", instance, mode=mode),
                _counter(random, times, 4, reset=1000 + 300 * number),
            )
        yield _named("demo_num_cpus", instance), _pairs(times, [float(4 + number)] * len(times))
        disk = [1e9 + 1e4 * i + random.uniform(0, 5e3) for i in range(len(times))]
        yield _named("demo_disk_usage_bytes", instance), _pairs(times, disk)
        done = [float(int(t) // 60 * 60) for t in times]
        yield _named("demo_batch_last_success_timestamp_seconds", instance), _pairs(times, done)
        often = [(t, float(i % 7)) for i, t in enumerate(times) if (i // 80) % 2 == number % 2]
        yield _named("demo_intermittent_metric", instance), often
        yield from _histogram(random, times, instance)


def text(start: int) -> Iterator[str]:
    """The series in OpenMetrics' format, line by line, families together."""
    found = sorted(series(start))
    for labels, samples in found:
        (_, name), *others = labels
        shown = ",".join(f'{key}="{value}"' for key, value in others)
        for time, value in samples:
            yield f"{name}{{{shown}}} {value!r} {time:.3f}\n"
    yield "# EOF\n"


def in_memory(start: int) -> MemorySeries:
    """The same series for our engine."""
    made = MemorySeries()
    for labels, samples in series(start):
        for time, value in samples:
            made.append(labels, round(time * 1000), value)
    return made


def _histogram(random: Random, times: list[float], instance: str) -> Iterator[tuple[Labels, Samples]]:
    for path in ("/api/bar", "/api/foo"):
        common = {"method": "GET", "path": path, "status": "200"}
        whole = [0.0] * len(times)
        for bound in BOUNDS:
            steps = _counter(random, times, 3)
            whole = [a + value for a, (_, value) in zip(whole, steps, strict=True)]
            name = "demo_api_request_duration_seconds_bucket"
            yield _named(name, instance, le=bound, **common), _pairs(times, whole)
        yield _named("demo_api_request_duration_seconds_count", instance, **common), _pairs(times, whole)
        sums = [value * 0.0007 for value in whole]
        yield _named("demo_api_request_duration_seconds_sum", instance, **common), _pairs(times, sums)


def _counter(random: Random, times: list[float], rate: float, reset: int = 0) -> Samples:
    value, made = random.uniform(0, 1000), []
    for i, time in enumerate(times):
        value = 0.0 if reset and i and i % reset == 0 else value + random.uniform(0, rate)
        made.append((time, value))
    return made


def _pairs(times: list[float], values: list[float]) -> Samples:
    return list(zip(times, values, strict=True))


def _named(name: str, instance: str, **labels: str) -> Labels:
    own = {"__name__": name, "instance": instance, "job": "demo", **labels}
    return tuple(sorted(own.items()))
