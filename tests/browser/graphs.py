"""Generated answers of the graph API."""

from typing import Any

import numpy as np

STATES = ("Healthy", "Healthy", "Healthy", "Degraded", "Failure", "NA")


def large_graph(services: int, calls: int) -> dict[str, Any]:
    """A graph of this many services, always the same."""
    dice = np.random.default_rng(1)
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < calls:
        source = int(dice.integers(0, services))
        target = int(dice.integers(source // 4, services))
        if source != target:
            pairs.add((source, target))
    return {
        "nodes": [_node(number) for number in range(services)],
        "edges": [_edge(*pair) for pair in sorted(pairs)],
    }


def _node(number: int) -> dict[str, Any]:
    return {
        "id": f"n{number}",
        "kind": "service",
        "name": f"service-{number}",
        "namespace": f"team-{number % 10}",
        "version": None,
        "workload": None,
        "app": f"service-{number}",
        "badges": {},
        "health": {"status": STATES[number % len(STATES)], "reasons": []},
    }


def _edge(source: int, target: int) -> dict[str, Any]:
    return {
        "id": f"{source}>{target}",
        "source": f"n{source}",
        "target": f"n{target}",
        "protocol": "http",
        "rate": 1 + target % 90,
        "errors": float(target % 50 == 0),
        "error_ratio": 0.1 * (target % 50 == 0),
        "p50_ms": 3.0,
        "p95_ms": 20.0 + source % 70,
        "p99_ms": 90.0,
        "mtls": 1.0,
        "principals": [],
        "codes": {"200": 1.0},
        "flags": {},
        "health": {"status": STATES[target % len(STATES)], "reasons": []},
    }
