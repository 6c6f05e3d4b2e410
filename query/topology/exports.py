"""Graphs as text for other programs: Graphviz' DOT, Mermaid."""

import re
from typing import Literal

from query.topology.numbers import failed_rate, name
from query.topology.status import Status
from query.topology.traffic import Edge, TrafficMap

Format = Literal["dot", "json", "mermaid"]
MEDIA_TYPES: dict[Format, str] = {
    "dot": "text/vnd.graphviz; charset=utf-8",
    "json": "application/json",
    "mermaid": "text/plain; charset=utf-8",
}
_SHAPES = {"app": "box", "database": "cylinder", "queue": "cds", "service": "triangle"}
_COLOURS = {Status.DEGRADED: "orange", Status.FAILURE: "red", Status.HEALTHY: "darkgreen"}
_UNSAFE = re.compile(r"[^\w .,:/%()+-]")


def dot(traffic: TrafficMap) -> str:
    """Graphviz' language; nodes are grouped by namespace."""
    numbers = _numbers(traffic)
    lines = ["digraph mesh {", "  rankdir=LR;"]
    for place, keys in _places(traffic).items():
        inner = [
            f"    {numbers[key]} [label={_quoted(_title(traffic, key))}{_look(traffic, key)}];"
            for key in keys
        ]
        if place:
            cluster = _quoted(f"cluster_{place}")
            lines += [f"  subgraph {cluster} {{", f"    label={_quoted(place)};", *inner, "  }"]
        else:
            lines += inner
    for edge in _edges(traffic):
        colour = _COLOURS.get(edge.health.status if edge.health else Status.NA, "gray40")
        ends = f"{numbers[edge.source]} -> {numbers[edge.target]}"
        lines.append(f'  {ends} [label={_quoted(label(edge))}, color="{colour}"];')
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(traffic: TrafficMap) -> str:
    """A Mermaid flowchart; characters that its grammar cannot have become ``_``."""
    numbers = _numbers(traffic)
    lines = ["flowchart LR"]
    for place, keys in _places(traffic).items():
        inner = [f'    {numbers[key]}["{_safe(_title(traffic, key))}"]' for key in keys]
        if place:
            number = f"g{numbers[keys[0]][1:]}"
            lines += [f'  subgraph {number}["{_safe(place)}"]', *inner, "  end"]
        else:
            lines += inner
    lines += [
        f'  {numbers[edge.source]} -->|"{_safe(label(edge))}"| {numbers[edge.target]}'
        for edge in _edges(traffic)
    ]
    return "\n".join(lines) + "\n"


def label(edge: Edge) -> str:
    """Protocol, rate, errors and p95 of an edge in words."""
    unit = "B/s" if edge.protocol == "tcp" else "rps"
    parts = [f"{edge.protocol} {edge.rate:.3g} {unit}"]
    failed = failed_rate(edge)
    if failed and edge.rate:
        parts.append(f"{failed / edge.rate * 100:.3g}% err")
    if edge.p95_ms is not None:
        parts.append(f"p95 {edge.p95_ms:.3g} ms")
    return ", ".join(parts)


def _numbers(traffic: TrafficMap) -> dict[str, str]:
    return {key: f"n{number}" for number, key in enumerate(sorted(node.key for node in traffic.nodes()))}


def _places(traffic: TrafficMap) -> dict[str, list[str]]:
    """Keys of nodes by namespace."""
    found: dict[str, list[str]] = {}
    for node in sorted(traffic.nodes(), key=lambda node: (node.peer.namespace, node.key)):
        found.setdefault(node.peer.namespace, []).append(node.key)
    return found


def _edges(traffic: TrafficMap) -> list[Edge]:
    return sorted(traffic.edges(), key=lambda edge: (edge.source, edge.target, edge.protocol))


def _title(traffic: TrafficMap, key: str) -> str:
    node = traffic[key]
    version = node.peer.version if node.kind == "app" else ""
    return " ".join(filter(None, (name(node), version)))


def _look(traffic: TrafficMap, key: str) -> str:
    node = traffic[key]
    colour = _COLOURS.get(node.health.status if node.health else Status.NA)
    shape = f", shape={_SHAPES.get(node.kind, 'ellipse')}"
    return f'{shape}, color="{colour}"' if colour else shape


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _safe(text: str) -> str:
    return _UNSAFE.sub("_", text)
