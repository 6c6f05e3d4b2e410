from typing import Any

from proxy.envoy.messages import build
from proxy.registry.model import Protocol
from proxy.translate.clusters import clusters
from proxy.translate.endpoints import endpoints
from proxy.translate.world import InboundBind, Proxy, World
from tests.proxy.translate.meshes import BOOKINFO, process, sidecar, world

REVIEWS = "reviews.shop.svc.cluster.local"
RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy: %s
  subsets:
  - {name: v1, labels: {version: v1}}
"""


def named(made: World, proxy: Proxy) -> dict[str, dict[str, Any]]:
    found = clusters(made, proxy)
    for cluster in found:
        build("envoy.config.cluster.v3.Cluster", cluster)
    return {cluster["name"]: cluster for cluster in found}


def assignments(made: World, proxy: Proxy, *names: str) -> list[dict[str, Any]]:
    found = endpoints(made, proxy, names)
    for assignment in found:
        build("envoy.config.endpoint.v3.ClusterLoadAssignment", assignment)
    return found


def test_each_port_and_subset_has_a_cluster():
    found = named(world(BOOKINFO, RULE % "{}"), sidecar())
    assert {n for n in found if REVIEWS in n} == {
        f"outbound|{port}|{subset}|{REVIEWS}" for port in (9080, 3306) for subset in ("", "v1")
    }
    assert {"BlackHoleCluster", "PassthroughCluster", "InboundPassthroughCluster"} <= found.keys()
    metadata = found[f"outbound|9080|v1|{REVIEWS}"]["metadata"]["filter_metadata"]["istio"]
    assert metadata["services"] == [{"host": REVIEWS, "name": "reviews", "namespace": "shop"}]
    assert metadata["subset"] == "v1"
    assert metadata["config"].endswith("/namespaces/shop/destination-rule/reviews")


def test_mutual_tls_follows_the_endpoint_unless_a_rule_says_otherwise():
    cluster = named(world(BOOKINFO), sidecar())[f"outbound|9080||{REVIEWS}"]
    mutual, plain = cluster["transport_socket_matches"]
    assert mutual["match"] == {"tlsMode": "istio"}
    context = mutual["transport_socket"]["typed_config"]
    assert context["sni"] == f"outbound_.9080_._.{REVIEWS}"
    common = context["common_tls_context"]
    assert common["tls_certificate_sds_secret_configs"][0]["name"] == "default"
    validation = common["combined_validation_context"]
    assert validation["validation_context_sds_secret_config"]["name"] == "ROOTCA"
    accepted = validation["default_validation_context"]["match_typed_subject_alt_names"]
    assert accepted == [
        {"san_type": "URI", "matcher": {"exact": "spiffe://cluster.local/ns/shop/sa/reviews"}}
    ]
    assert plain["transport_socket"]["name"].endswith("raw_buffer")
    off = named(world(BOOKINFO, RULE % "{tls: {mode: DISABLE}}"), sidecar())[f"outbound|9080||{REVIEWS}"]
    assert not {"transport_socket", "transport_socket_matches"} & off.keys()
    outside = named(world(BOOKINFO), sidecar())["outbound|80||pay.example.com"]
    assert not {"transport_socket", "transport_socket_matches"} & outside.keys()


def test_simple_tls_takes_names_from_the_request():
    made = world(BOOKINFO, RULE.replace("host: reviews", "host: pay.example.com") % "{tls: {mode: SIMPLE}}")
    found = named(made, sidecar())
    options = next(iter(found["outbound|80||pay.example.com"]["typed_extension_protocol_options"].values()))
    assert options["upstream_http_protocol_options"] == {"auto_sni": True, "auto_san_validation": True}
    tls = found["outbound|443||pay.example.com"]["transport_socket"]["typed_config"]
    assert tls["sni"] == "pay.example.com"
    assert tls["common_tls_context"]["validation_context"]["trusted_ca"]


def test_load_balancers_pools_and_outliers():
    policy = (
        "{loadBalancer: {consistentHash: {httpHeaderName: x, minimumRingSize: 7}},"
        " connectionPool: {tcp: {maxConnections: 5}, http: {maxRetries: 2}},"
        " outlierDetection: {consecutiveGatewayErrors: 4, minHealthPercent: 30}}"
    )
    cluster = named(world(BOOKINFO, RULE % policy), sidecar())[f"outbound|9080||{REVIEWS}"]
    assert cluster["lb_policy"] == "RING_HASH"
    assert cluster["ring_hash_lb_config"] == {"minimum_ring_size": 7}
    threshold = cluster["circuit_breakers"]["thresholds"][0]
    assert (threshold["max_connections"], threshold["max_retries"]) == (5, 2)
    assert threshold["max_requests"] == 2**32 - 1
    assert cluster["outlier_detection"]["enforcing_consecutive_gateway_failure"] == 100
    assert cluster["common_lb_config"]["healthy_panic_threshold"] == {"value": 30}
    plain = named(world(BOOKINFO), sidecar())[f"outbound|9080||{REVIEWS}"]
    assert (plain["type"], plain["lb_policy"], plain["connect_timeout"]) == ("EDS", "LEAST_REQUEST", "10s")


def test_addresses_found_by_name_or_per_request():
    found = named(world(BOOKINFO), sidecar())
    pay = found["outbound|443||pay.example.com"]
    assert pay["type"] == "STRICT_DNS"
    endpoint = pay["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    assert endpoint["address"]["socket_address"] == {"address": "pay.example.com", "port_value": 443}
    assert found["outbound|443||*.any.example.com"]["cluster_type"]["name"].endswith("dynamic_forward_proxy")
    assert found["PassthroughCluster"]["type"] == "ORIGINAL_DST"
    assert "cluster_type" in named(world(BOOKINFO), process())["PassthroughCluster"]


def test_endpoints_carry_who_they_are():
    name = f"outbound|9080||{REVIEWS}"
    made = assignments(world(BOOKINFO), sidecar(locality="r1/z1/s1"), name)[0]
    first, second = made["endpoints"]
    assert first["locality"] == {"region": "r1", "zone": "z1", "sub_zone": "s1"}
    endpoint = first["lb_endpoints"][0]
    metadata = endpoint["metadata"]["filter_metadata"]
    assert metadata["istio"] == {"workload": "reviews-1;shop;reviews;v1;Kubernetes"}
    assert metadata["mesh.peer"]["workload"] == "reviews-1"
    assert metadata["mesh.peer"]["version"] == "v1"
    assert metadata["envoy.transport_socket_match"] == {"tlsMode": "istio"}
    assert second["load_balancing_weight"] == 3
    address = second["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    assert address == {"address": "127.0.1.2", "port_value": 19080}


def test_endpoints_of_subsets_and_of_unknown_clusters():
    made = world(BOOKINFO, RULE % "{}")
    names = [f"outbound|9080|{s}|{REVIEWS}" for s in ("v1", "none")] + ["outbound|1||nobody", "xds"]
    subset, unknown, *rest = assignments(made, sidecar(), *names)
    assert [len(group["lb_endpoints"]) for group in subset["endpoints"]] == [1]
    assert not unknown["endpoints"]
    assert [a["endpoints"] for a in rest] == [[], []]


def test_near_endpoints_come_first_only_if_failing_ones_are_found_out():
    name = f"outbound|9080||{REVIEWS}"
    near = sidecar(locality="r1/z1/s1")
    plain = assignments(world(BOOKINFO), near, name)[0]
    assert [g.get("priority", 0) for g in plain["endpoints"]] == [0, 0]
    made = world(BOOKINFO, RULE % "{outlierDetection: {consecutive5xxErrors: 1}}")
    found = assignments(made, near, name)[0]
    assert [(g["locality"]["region"], g.get("priority", 0)) for g in found["endpoints"]] == [
        ("r1", 0),
        ("r2", 1),
    ]
    shares = (
        "{loadBalancer: {localityLbSetting: {distribute: [{from: 'r1/*', to: {'r1/*': 20, 'r2/*': 80}}]}}}"
    )
    found = assignments(world(BOOKINFO, RULE % shares), near, name)[0]
    assert [g["load_balancing_weight"] for g in found["endpoints"]] == [20, 80]


def test_servers_that_switch_tls_off_get_plain_text():
    off = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: plain, namespace: shop}
spec: {selector: {matchLabels: {version: v2}}, mtls: {mode: DISABLE}}
"""
    name = f"outbound|9080||{REVIEWS}"
    groups = assignments(world(BOOKINFO, off), sidecar(), name)[0]["endpoints"]
    taking = [
        "envoy.transport_socket_match" in e["metadata"]["filter_metadata"]
        for g in groups
        for e in g["lb_endpoints"]
    ]
    assert taking == [True, False]


def test_a_process_serves_its_ports_on_its_own_address():
    bind = InboundBind(9080, "127.0.1.1", 19080)
    proxy = process(addresses=("127.0.1.1",), inbound=(bind,))
    found = named(world(BOOKINFO), proxy)
    inbound = [name for name in found if name.startswith("inbound")]
    assert inbound == ["inbound|9080||"]
    endpoint = found["inbound|9080||"]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    assert endpoint["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 19080}
    assert bind.protocol is Protocol.AUTO
