from typing import Any

import pytest

from proxy.envoy.messages import build
from proxy.registry.model import Protocol
from proxy.translate.clusters import clusters
from proxy.translate.plugins import Direction, NoPlugins
from proxy.translate.sidecar import sidecar_listeners
from proxy.translate.sidecar_routes import sidecar_routes
from proxy.translate.world import InboundBind, Proxy, World
from tests.conformance.simulation import Simulation
from tests.proxy.translate.meshes import BOOKINFO, process, sidecar, world

REVIEWS = "reviews.shop.svc.cluster.local"
PORTS = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: served, namespace: shop}
spec:
  hosts: [served.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{address: 127.0.1.9}]
  ports:
  - {number: 70, name: tcp, protocol: TCP}
  - {number: 80, name: http, protocol: HTTP}
  - {number: 81, name: auto}
"""


def simulated(made: World, proxy: Proxy, *names: str) -> Simulation:
    listeners = sidecar_listeners(made, proxy)
    routes = sidecar_routes(made, proxy, names)
    for kind, values in (("listener.v3.Listener", listeners), ("route.v3.RouteConfiguration", routes)):
        for value in values:
            build(f"envoy.config.{kind}", value)
    return Simulation(listeners, routes, clusters(made, proxy))


@pytest.mark.parametrize(
    ("port", "protocol", "tls", "cluster", "chain"),
    [
        (70, "tcp", "plaintext", "inbound|70||", "0.0.0.0_70"),
        (70, "tcp", "tls", "inbound|70||", "0.0.0.0_70"),
        (70, "http", "mtls", "inbound|70||", "0.0.0.0_70"),
        (80, "http", "plaintext", "inbound|80||", "0.0.0.0_80"),
        (80, "http", "mtls", "inbound|80||", "0.0.0.0_80"),
        (81, "http", "plaintext", "inbound|81||", "0.0.0.0_81"),
        (81, "http2", "plaintext", "inbound|81||", "0.0.0.0_81"),
        (81, "tcp", "plaintext", "inbound|81||", "0.0.0.0_81"),
        (81, "tcp", "tls", "inbound|81||", "0.0.0.0_81"),
        (81, "http", "mtls", "inbound|81||", "0.0.0.0_81"),
        (81, "tcp", "mtls", "inbound|81||", "0.0.0.0_81"),
        (99, "http", "plaintext", "InboundPassthroughCluster", "virtualInbound-catchall-http"),
        (99, "http", "mtls", "InboundPassthroughCluster", "virtualInbound-catchall-http"),
        (99, "tcp", "tls", "InboundPassthroughCluster", "virtualInbound"),
    ],
)
def test_a_permissive_server_takes_all(port: int, protocol: str, tls: str, cluster: str, chain: str):
    simulation = simulated(world(PORTS), sidecar())
    result = simulation.run({"port": port, "protocol": protocol, "tls": tls, "call_mode": "inbound"})
    assert (result.error, result.cluster, result.filter_chain) == ("", cluster, chain)


def test_a_permissive_http_port_takes_no_foreign_tls():
    simulation = simulated(world(PORTS), sidecar())
    call = {"port": 80, "protocol": "http", "tls": "tls", "call_mode": "inbound"}
    assert simulation.run(call).error == "no_filter_chain"


def test_undeclared_ports_have_modes_of_their_own_too():
    strict = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec:
  selector: {matchLabels: {app: productpage}}
  mtls: {mode: STRICT}
  portLevelMtls: {99: {mode: DISABLE}}
"""
    simulation = simulated(world(PORTS, strict), sidecar())
    errors = [
        simulation.run({"port": port, "protocol": "http", "call_mode": "inbound"}).error for port in (98, 99)
    ]
    assert errors == ["no_filter_chain", ""]


def test_calls_find_services_by_host_address_and_server_name():
    simulation = simulated(world(BOOKINFO), sidecar(), "9080", "80", "guess.example.com:7000")

    def cluster(**call: Any) -> str:
        result = simulation.run(call)
        assert not result.error
        return result.cluster

    for host in ("reviews", "reviews.shop", "reviews.shop.svc:9080", REVIEWS, "10.0.0.1"):
        assert cluster(port=9080, host=host) == f"outbound|9080||{REVIEWS}"
    assert cluster(address="10.0.0.1", port=3306, protocol="tcp") == f"outbound|3306||{REVIEWS}"
    assert cluster(port=443, protocol="tcp", tls="tls", sni="pay.example.com").endswith("pay.example.com")
    assert cluster(port=443, protocol="tcp", tls="tls", sni="x.any.example.com").endswith(
        "|*.any.example.com"
    )
    assert cluster(port=443, protocol="tcp", tls="tls", sni="other.com") == "PassthroughCluster"
    assert cluster(port=9080, host="other.com") == "PassthroughCluster"
    assert cluster(port=12345, protocol="tcp") == "PassthroughCluster"
    for protocol in ("http", "tcp"):
        found = cluster(address="10.8.0.1", port=7000, protocol=protocol, host="guess.example.com")
        assert found == "outbound|7000||guess.example.com"
    assert cluster(address="10.9.3.3", port=7001, protocol="tcp") == "outbound|7001||guess.example.com"


def test_virtual_services_route_hosts_and_connections():
    rules = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews, unknown.example.org]
  http:
  - name: new
    match: [{uri: {prefix: /new}}]
    route: [{destination: {host: pay.example.com, port: {number: 80}}}]
  - route: [{destination: {host: reviews}}]
  tcp: [{route: [{destination: {host: pay.example.com, port: {number: 443}}}]}]
"""
    simulation = simulated(world(BOOKINFO, rules), sidecar(), "9080")
    new = simulation.run({"port": 9080, "host": "reviews", "path": "/new/x"})
    assert (new.route, new.cluster) == ("new", "outbound|80||pay.example.com")
    assert simulation.run({"port": 9080, "host": "unknown.example.org"}).virtual_host == (
        "unknown.example.org:9080"
    )
    tcp = simulation.run({"address": "10.0.0.1", "port": 3306, "protocol": "tcp"})
    assert tcp.cluster == "outbound|443||pay.example.com"


def test_unknown_hosts_are_refused_or_go_to_the_proxy_that_a_sidecar_names():
    text = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: shop}
spec:
  egress: [{hosts: ["*/*"]}]
  outboundTrafficPolicy: %s
"""
    closed = simulated(world(BOOKINFO, text % "{mode: REGISTRY_ONLY}"), sidecar(), "9080")
    assert closed.run({"port": 9080, "host": "x.org"}).virtual_host == "block_all"
    assert closed.run({"port": 1, "protocol": "tcp"}).cluster == "BlackHoleCluster"
    through = "{mode: ALLOW_ANY, egressProxy: {host: pay.example.com, port: {number: 80}}}"
    opened = simulated(world(BOOKINFO, text % through), sidecar(), "9080")
    for call in ({"port": 9080, "host": "x.org"}, {"port": 1, "protocol": "tcp"}):
        assert opened.run(call).cluster == "outbound|80||pay.example.com"


def test_a_process_binds_every_port_and_serves_an_http_proxy():
    bind = InboundBind(9080, "127.0.1.9", 19080, Protocol.HTTP)
    made, proxy = world(BOOKINFO), process(inbound=(bind,), bind="127.0.1.8")
    listeners = {found["name"]: found for found in sidecar_listeners(made, proxy)}
    assert {
        "127.0.1.9_9080",
        "127.0.1.8_9080",
        "127.0.1.8_3306",
        "127.0.1.8_443",
        "127.0.1.8_15080",
    } <= listeners.keys()
    assert not {"virtualInbound", "virtualOutbound"} & listeners.keys()
    assert all(found.get("bind_to_port", True) for found in listeners.values())
    assert not listeners["127.0.1.8_9080"]["listener_filters"]
    config = sidecar_routes(made, proxy, ["http_proxy"])[0]
    domains = {host["name"]: host["domains"] for host in config["virtual_hosts"]}
    assert "reviews:9080" in domains[f"{REVIEWS}:9080"]
    assert "reviews" not in domains[f"{REVIEWS}:9080"]
    assert {"pay.example.com", "pay.example.com:80"} <= set(domains["pay.example.com:80"])
    assert not config.get("ignore_port_in_host_matching")


def test_sockets_of_a_sidecar_and_its_ports():
    text = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: shop}
spec:
  egress:
  - {port: {number: 8000, protocol: HTTP, name: http}, bind: "unix:///run/out.sock", hosts: ["./*"]}
  - {port: {number: 13306, protocol: TCP, name: tcp}, bind: 127.0.0.5, captureMode: NONE, hosts: ["money/*"]}
"""
    listeners = {found["name"]: found for found in sidecar_listeners(world(BOOKINFO, text), sidecar())}
    assert listeners["unix:///run/out.sock"]["address"] == {"pipe": {"path": "/run/out.sock"}}
    config = sidecar_routes(world(BOOKINFO, text), sidecar(), ["unix:///run/out.sock"])[0]
    assert config["virtual_hosts"][0]["name"].startswith(REVIEWS)


class _Marks(NoPlugins):
    def http_filters(
        self, world: World, proxy: Proxy, direction: Direction, port: int
    ) -> list[dict[str, Any]]:
        return [{"name": f"{direction} {proxy.id} {port} {len(world.services)}"}]


def test_filters_of_plugins_come_first_and_the_router_last():
    listeners = sidecar_listeners(world(PORTS), sidecar(), _Marks())
    inbound = next(found for found in listeners if found["name"] == "virtualInbound")
    chain = next(found for found in inbound["filter_chains"] if found["name"] == "0.0.0.0_80")
    names = [f["name"] for f in chain["filters"][0]["typed_config"]["http_filters"]]
    assert names[0].startswith(f"{Direction.INBOUND} productpage-1.shop 80")
    assert names[-1] == "envoy.filters.http.router"


def test_captured_connections_are_not_handed_from_the_inbound_to_an_outbound_listener():
    listeners = {found["name"]: found for found in sidecar_listeners(world(PORTS), sidecar())}
    assert "use_original_dst" not in listeners["virtualInbound"]
    assert listeners["virtualOutbound"]["use_original_dst"] is True
