"""Kiali's own graphs: the same metrics must give the same JSON."""

import json
import re
from typing import Any

import pytest

from query.promql.memory import MemorySeries
from query.topology import kiali_json
from query.topology.build import build
from query.topology.configuration import NoConfiguration
from query.topology.nodes import Peer
from query.topology.parameters import node_focus, options_of
from query.topology.telemetry import Metrics
from tests.conformance.conftest import CASES
from vigla.storage.api import Stop

FOLDER = CASES / "kiali-graph"
GATEWAY = "gateway.networking.k8s.io/gateway-name"
STEP, FIRST = 10, 1_000_000.0  # a counter that began long ago, so that its rate is not extrapolated


class Accessible(NoConfiguration):
    def __init__(self, case: dict[str, Any]) -> None:
        self._case = case

    def namespaces(self, at: int) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        return list(self._case["accessible_namespaces"])

    def waypoints(self, at: int) -> tuple[Peer, ...]:  # noqa: ARG002
        (cluster,) = self._case["clusters"]
        pods = self._case.get("pods", ())
        return tuple(Peer(cluster, pod["namespace"], pod["name"]) for pod in pods if GATEWAY in pod["labels"])


def cases() -> list[Any]:
    if not FOLDER.is_dir():
        reason = pytest.mark.skip(f"no conformance cases: {FOLDER} is absent")
        return [pytest.param({}, marks=reason)]
    return [pytest.param(case, id=case["name"]) for case in json.loads((FOLDER / "cases.json").read_text())]


def series(case: dict[str, Any]) -> MemorySeries:
    """Counters whose rates are those of the mocked answers."""
    store, at = MemorySeries(), int(case["query"]["queryTime"])
    for answer in case["prometheus"]:
        metric = re.search(r"istio_\w+", answer["query"])
        reporter = re.search(r'reporter=~?"(?:waypoint\|)?(\w+)"', answer["query"])
        assert metric is not None
        assert reporter is not None
        for sample in answer["samples"]:
            labels = {**sample["labels"], "__name__": metric[0], "reporter": reporter[1]}
            known = tuple(sorted((k, v) for k, v in labels.items() if v))
            for second in range(-610, 1, STEP):
                store.append(known, (at + second) * 1000, FIRST + sample["value"] * (610 + second))
    return store


@pytest.mark.parametrize("case", cases())
def test_graph(case: dict[str, Any]) -> None:
    query = {**case["query"]}
    options = options_of(query, int(query["queryTime"]), node_focus(case["path_params"]))
    metrics = Metrics(series(case), options.at, Stop())
    found = build(metrics, options, Accessible(case))
    expected = json.loads((FOLDER / case["expected"]).read_text())
    assert kiali_json.graph(found, options) == expected
