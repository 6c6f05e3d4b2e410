"""The graph beside configuration: idle, dead, folded into a service entry."""

from query.topology.appenders.configured import badges
from query.topology.appenders.defined import dead_node, idle_node, service_entry
from query.topology.configuration import Badges, NoConfiguration, ServiceEntry
from query.topology.nodes import Node, Peer, node_of
from query.topology.options import GraphOptions
from query.topology.traffic import TrafficMap

OPTIONS = GraphOptions(["shop"], "workload", 0)


class Shop:
    def namespaces(self, at: int) -> list[str] | None:  # noqa: ARG002
        return ["shop"]

    def workloads(self, namespace: str, at: int) -> list[Peer] | None:  # noqa: ARG002
        return [workload("web").peer, workload("spare").peer] if namespace == "shop" else None

    def services(self, namespace: str, at: int) -> list[str]:  # noqa: ARG002
        return []

    def waypoints(self, at: int) -> list[Peer]:  # noqa: ARG002
        return []

    def badges(self, at: int) -> Badges:  # noqa: ARG002
        return lambda namespace, service: {"hasCB": True} if (namespace, service) == ("shop", "web") else {}

    def service_entries(self, at: int) -> list[ServiceEntry]:  # noqa: ARG002
        return [ServiceEntry("search", "shop", ("a.example", "b.example"))]


def workload(name: str) -> Node:
    return node_of(Peer("c", "shop", name, name, "v1"), "workload")


def host(name: str) -> Node:
    return node_of(Peer("c", "shop", service=name), "workload")


def graph(*edges: tuple[Node, Node, float]) -> TrafficMap:
    found = TrafficMap()
    for source, target, rate in edges:
        ends = found.node(source).key, found.node(target).key
        found.edge(*ends, "http").add("200", "-", "", rate)
    return found


def test_badges_of_the_services_behind_a_node() -> None:
    server = workload("web")
    server.destinations.add(("c", "shop", "web"))
    found = graph((workload("other"), server, 1.0))
    badges(found, OPTIONS, Shop())
    assert {node.peer.workload: node.marks for node in found.nodes()} == {"other": {}, "web": {"hasCB": True}}


def test_hosts_of_an_entry_are_one_node() -> None:
    found = graph((workload("web"), host("a.example"), 1.0), (workload("web"), host("b.example"), 2.0))
    service_entry(found, OPTIONS, Shop())
    (edge,) = found.edges()
    assert edge.rate == 3.0
    assert found[edge.target].peer.service == "search"


def test_workloads_that_are_gone_leave_when_they_are_silent() -> None:
    found = graph((workload("web"), workload("old"), 0.0))
    dead_node(found, OPTIONS, Shop())
    assert [node.peer.workload for node in found.nodes()] == ["web"]


def test_traffic_keeps_a_node_and_so_does_not_knowing() -> None:
    for rate, configuration in ((1.0, Shop()), (0.0, NoConfiguration())):
        found = graph((workload("web"), workload("old"), rate))
        dead_node(found, OPTIONS, configuration)
        assert len(found.nodes()) == 2


def test_defined_workloads_without_traffic_are_idle() -> None:
    found = graph((workload("web"), workload("web"), 1.0))
    idle_node(found, OPTIONS, Shop())
    marks = {node.peer.workload: node.marks for node in found.nodes()}
    assert marks == {"web": {}, "spare": {"isIdle": True}}
