"""Connected sidecars are workloads; they stay for a while after they left, and over restarts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.pilot.registrations import AWAY_S, RESTORED_S, Registrations
from proxy.xds.node import Node, parse_node
from tests.proxy.xds.plane import NODE
from vigla.clock import FakeClock

WORKLOAD = {
    "LABELS": {"app": "web"},
    "SERVICE_ACCOUNT": "web",
    "INBOUND": [{"name": "http", "port": 80.0, "app_port": 8080.0}],
}


def node(node_id: str = NODE, **metadata: Any) -> Node:
    return parse_node(node_id, metadata={**WORKLOAD, **metadata})


class Known:
    """Registrations, and how often they told of a change."""

    def __init__(self, file: Path, clock: FakeClock) -> None:
        self.changes = 0
        self.clock = clock
        self.all = Registrations(file, clock, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    @property
    def names(self) -> list[str]:
        return [pod.name for pod in self.all.objects()]


@pytest.fixture
def open_known(tmp_path: Path) -> Callable[[], Known]:
    clock = FakeClock(0)
    return lambda: Known(tmp_path / "workloads.json", clock)


def test_a_sidecar_is_a_pod_with_its_labels_account_ports_and_address(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node())
    (pod,) = known.all.objects()

    assert (pod.name, pod.namespace, pod.labels["app"]) == ("web-1", "default", "web")
    spec, status = pod.document["spec"], pod.document["status"]
    assert spec["serviceAccountName"] == "web"  # type: ignore[index]
    assert spec["containers"][0]["ports"] == [{"name": "http", "containerPort": 80}]  # type: ignore[index]
    assert status["podIP"] == "10.0.0.1"  # type: ignore[index]
    assert known.changes == 1


def test_a_gateway_takes_no_tls_of_the_mesh(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node(NODE))
    known.all.joined(node(NODE.replace("sidecar", "router").replace("web-1", "gate-1")))

    labels = {pod.name: pod.labels.get("security.istio.io/tlsMode") for pod in known.all.objects()}
    assert labels == {"web-1": "istio", "gate-1": None}


def test_who_comes_back_in_time_never_left(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node())
    known.all.left(node())
    known.clock.advance(AWAY_S - 1)
    known.all.sweep()
    known.all.joined(node())
    known.clock.advance(AWAY_S * 2)
    known.all.sweep()

    assert known.names == ["web-1"]
    assert known.changes == 1


def test_who_stays_away_is_forgotten(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node())
    known.all.left(node())
    known.clock.advance(AWAY_S)
    known.all.sweep()

    assert known.names == []
    assert known.changes == 2


def test_the_new_stream_may_come_before_the_old_one_ends(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node())
    known.all.joined(node())
    known.all.left(node())
    known.clock.advance(AWAY_S * 2)
    known.all.sweep()

    assert known.names == ["web-1"]


def test_other_labels_are_a_change(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node())
    known.all.joined(node(LABELS={"app": "other"}))

    assert [pod.labels["app"] for pod in known.all.objects()] == ["other"]
    assert known.changes == 2


def test_workloads_survive_a_restart_until_they_do_not_come_back(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node())
    known.all.joined(node(NODE.replace("web", "cart")))
    again = open_known()
    assert again.names == ["cart-1", "web-1"]

    again.all.joined(node())
    again.clock.advance(RESTORED_S)
    again.all.sweep()

    assert again.names == ["web-1"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"web-1.default": 7}', '{"web-1.default": {"kind": 1}}']
)
def test_a_broken_file_is_as_none(tmp_path: Path, open_known: Callable[[], Known], content: str):
    (tmp_path / "workloads.json").write_text(content)
    known = open_known()
    assert known.names == []

    known.all.joined(node())
    assert open_known().names == ["web-1"]


def test_a_pod_that_cannot_be_one_hides_no_other(open_known: Callable[[], Known]):
    known = open_known()
    known.all.joined(node(LABELS={"app": {"not": "text"}}))
    known.all.joined(node(NODE.replace("web", "cart")))

    assert known.names == ["cart-1"]
