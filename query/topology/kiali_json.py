"""Kiali's graph JSON: all numbers are strings, and what is zero is left out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby

from query.topology.nodes import Node, Peer, digest
from query.topology.options import GraphOptions
from query.topology.traffic import NO_RESPONSE, Edge, TrafficMap

Json = dict[str, object]


def graph(traffic: TrafficMap, options: GraphOptions) -> Json:
    """The body of an answer."""
    nodes = sorted(traffic.nodes(), key=_order)
    parents, boxes = _boxes(nodes, options)
    sent: defaultdict[tuple[str, str], float] = defaultdict(float)
    for edge in traffic.edges():
        sent[edge.source, edge.protocol] += edge.rate
    return {
        "timestamp": options.at,
        "duration": options.duration,
        "graphType": options.graph_type,
        "elements": {
            "nodes": [*boxes, *({"data": _node(traffic, node, parents.get(node.key, ""))} for node in nodes)],
            "edges": [{"data": _edge(edge, sent)} for edge in sorted(traffic.edges(), key=_edge_order)],
        },
    }


def _order(node: Node) -> tuple[str, ...]:
    peer = node.peer
    return peer.cluster, peer.namespace, peer.app, peer.version, peer.service, peer.workload


def returning(edge: Edge) -> Json:
    """A call back from a waypoint, within the one there: Kiali names the caller as both of its ends."""
    shown = replace(edge, source=edge.target, marks={"waypoint": {"direction": "from"}})
    return _edge(shown, {(shown.source, shown.protocol): edge.rate})


def _edge_order(edge: Edge) -> tuple[str, str, str]:
    return digest(edge.source), digest(edge.target), edge.protocol


def _boxes(nodes: list[Node], options: GraphOptions) -> tuple[dict[str, str], list[Json]]:
    """The box of each boxed node by its key, and the boxes, outer ones first."""
    by_app = options.graph_type == "versionedApp" or "app" in options.box_by
    levels = [kind for kind in ("cluster", "namespace") if kind in options.box_by] + ["app"] * by_app
    parents: dict[str, str] = {}
    boxes: list[Json] = []
    for kind in levels:
        for peer, group in groupby(nodes, lambda node, kind=kind: _box(node, kind)):  # type: ignore[misc]
            members = list(group)
            if peer is None or (kind == "app" and len(members) == 1):
                continue
            names = [each for each in (peer.cluster, peer.namespace, peer.app) if each]
            box = digest("_".join(["box", *names]))
            outer = parents.get(members[0].key)
            data = {"id": box, "parent": outer, "nodeType": "box", **_names(peer)}
            boxes.append({"data": {k: v for k, v in data.items() if v} | {"healthData": None, "isBox": kind}})
            parents |= dict.fromkeys((node.key for node in members), box)
    return parents, boxes


def _box(node: Node, kind: str) -> Peer | None:
    peer = node.peer
    match kind:
        case "cluster":
            return Peer(peer.cluster, "")
        case "namespace":
            return Peer(peer.cluster, peer.namespace)
        case _:
            return Peer(peer.cluster, peer.namespace, app=peer.app) if node.kind == "app" else None


def _names(peer: Peer) -> Json:
    names = {
        "cluster": peer.cluster,
        "namespace": peer.namespace,
        "workload": peer.workload,
        "app": peer.app,
        "version": peer.version,
        "service": peer.service,
    }
    return {key: value for key, value in names.items() if value}


def _node(traffic: TrafficMap, node: Node, parent: str) -> Json:
    data: Json = {"id": node.id}
    if parent:
        data["parent"] = parent
    data |= {"nodeType": node.kind, **_names(node.peer)}
    if node.destinations:
        keys = ("cluster", "namespace", "name")
        data["destServices"] = [dict(zip(keys, each, strict=True)) for each in sorted(node.destinations)]
    if rates := _node_rates(traffic, node):
        data["traffic"] = [{"protocol": name, "rates": rates[name]} for name in sorted(rates)]
    return data | {"healthData": None} | node.marks


def _node_rates(traffic: TrafficMap, node: Node) -> dict[str, dict[str, str]]:
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    folded = traffic.folded
    for edge in [*traffic.incoming(node.key), *(each for each in folded if each.target == node.key)]:
        for suffix, rate in _by_class(edge).items():
            sums[edge.protocol][f"{edge.protocol}In{suffix}"] += rate
    for edge in [*traffic.outgoing(node.key), *(each for each in folded if each.source == node.key)]:
        sums[edge.protocol][f"{edge.protocol}Out"] += edge.rate
    written = {name: _written(rates) for name, rates in sums.items()}
    return {name: rates for name, rates in written.items() if rates}


def _by_class(edge: Edge) -> dict[str, float]:
    """Rates by the suffix that Kiali gives to a class of responses; the whole has none."""
    found: dict[str, float] = defaultdict(float)
    found[""] = edge.rate
    for code, rate in edge.codes.items():
        if edge.protocol != "tcp" and (suffix := response_class(edge.protocol, code)):
            found[suffix] += rate
    return found


def response_class(protocol: str, code: str) -> str:
    """``3xx``, ``4xx``, ``5xx``, ``Err`` (gRPC), ``NoResponse``; empty when all is well."""
    if code == NO_RESPONSE:
        return "NoResponse" if protocol == "http" else ""
    if protocol == "grpc":
        return "" if code == "0" else "Err"
    return f"{code[0]}xx" if code[0] in "345" else ""


def _written(rates: Json | dict[str, float]) -> dict[str, str]:
    return {name: f"{rate:.2f}" for name, rate in rates.items() if rate}


def _edge(edge: Edge, sent: Mapping[tuple[str, str], float]) -> Json:
    """An edge; ``sent``: rate of all calls by source and protocol."""
    rates = _written({f"{edge.protocol}{suffix}": rate for suffix, rate in _by_class(edge).items()})
    if edge.protocol != "tcp" and edge.rate:
        failed = failures(edge)
        if failed:
            rates[f"{edge.protocol}PercentErr"] = f"{failed / edge.rate * 100:.1f}"
        rates[f"{edge.protocol}PercentReq"] = f"{edge.rate / sent[edge.source, edge.protocol] * 100:.1f}"
    data: Json = {"protocol": edge.protocol}
    if edge.rate:
        data |= {"rates": rates, "responses": _responses(edge)}
    ids = {"id": edge.id, "source": digest(edge.source), "target": digest(edge.target)}
    return {**ids, **edge.marks, "traffic": data}


def failures(edge: Edge) -> float:
    """Rate of the calls that failed."""
    failed = ("4xx", "5xx", "Err", "NoResponse")
    return sum(r for code, r in edge.codes.items() if response_class(edge.protocol, code) in failed)


def _responses(edge: Edge) -> Json:
    found: dict[str, dict[str, dict[str, str]]] = {code: {} for code, rate in edge.codes.items() if rate}
    for name, shares in (("flags", edge.flags.items()), ("hosts", edge.hosts.items())):
        _share(found, name, shares, edge.rate)
    return dict(found)


def _share(
    found: dict[str, dict[str, dict[str, str]]],
    name: str,
    shares: Iterable[tuple[tuple[str, str], float]],
    total: float,
) -> None:
    for (code, value), rate in shares:
        if rate:
            found[code].setdefault(name, {})[value] = f"{rate / total * 100:.1f}"
