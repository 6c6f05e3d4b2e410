"""Two graphs of one mesh compared: what is new, gone, slower, failing."""

from collections.abc import Callable
from typing import Final

from query.topology.numbers import Json, edge_json, failed_rate, name, node_json
from query.topology.traffic import Edge, TrafficMap

SLOWER_RATIO: Final = 1.25
SLOWER_MS: Final = 5.0
"""A p95 is slower when it grew by a quarter and by this much: buckets of a histogram are no finer."""
FAILING_RATIO: Final = 0.01
"""Edges fail when the share of failed calls grew by a point of percent."""


def compared(before: TrafficMap, after: TrafficMap) -> Json:
    """Differences from ``before`` to ``after``.

    Returns:
        ``nodes`` and ``edges``, each with ``new`` and ``gone``; ``edges`` also with ``slower`` and
        ``failing``, worst first. A changed edge has ``from``, ``to`` (names), ``protocol``, ``before`` and
        ``after`` with ``rate``, ``error_ratio`` and ``p95_ms``.
    """
    old = {edge.id: edge for edge in before.edges()}
    new = {edge.id: edge for edge in after.edges()}
    both = [(old[key], new[key]) for key in sorted(old.keys() & new.keys())]
    return {
        "nodes": {"new": _nodes(after, before), "gone": _nodes(before, after)},
        "edges": {
            "new": [_named(after, new[key]) for key in sorted(new.keys() - old.keys())],
            "gone": [_named(before, old[key]) for key in sorted(old.keys() - new.keys())],
            "slower": _changed(after, both, _slower),
            "failing": _changed(after, both, _failing),
        },
    }


def _nodes(has: TrafficMap, lacks: TrafficMap) -> list[Json]:
    return [node_json(node) for node in sorted(has.nodes(), key=lambda n: n.key) if node.key not in lacks]


def _named(traffic: TrafficMap, edge: Edge) -> Json:
    ends = {"from": name(traffic[edge.source]), "to": name(traffic[edge.target])}
    return {**ends, **edge_json(traffic, edge)}


def _changed(
    traffic: TrafficMap, both: list[tuple[Edge, Edge]], grown: Callable[[Edge, Edge], float]
) -> list[Json]:
    growth = [(grown(old, new), old, new) for old, new in both]
    worst = sorted((each for each in growth if each[0] > 0), key=lambda each: (-each[0], each[1].id))
    return [
        {
            "id": new.id,
            "source": traffic[new.source].id,
            "target": traffic[new.target].id,
            "from": name(traffic[new.source]),
            "to": name(traffic[new.target]),
            "protocol": new.protocol,
            "before": _figures(old),
            "after": _figures(new),
        }
        for _, old, new in worst
    ]


def _figures(edge: Edge) -> Json:
    return {"rate": edge.rate, "error_ratio": _ratio(edge), "p95_ms": edge.p95_ms}


def _ratio(edge: Edge) -> float:
    return failed_rate(edge) / edge.rate if edge.rate else 0.0


def _slower(old: Edge, new: Edge) -> float:
    """Milliseconds more; 0: not slower."""
    if old.p95_ms is None or new.p95_ms is None:
        return 0.0
    more = new.p95_ms - old.p95_ms
    return more if more >= SLOWER_MS and new.p95_ms >= old.p95_ms * SLOWER_RATIO else 0.0


def _failing(old: Edge, new: Edge) -> float:
    """Growth of the failed share; 0: not failing more."""
    more = _ratio(new) - _ratio(old)
    return more if more >= FAILING_RATIO else 0.0
