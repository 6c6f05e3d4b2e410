from proxy.translate.destination_rules import destination_rule, policy_for
from proxy.translate.peer_authentication import Mtls, mtls_mode
from proxy.translate.scope import best_virtual_service, scope, select_sidecar
from tests.proxy.translate.meshes import BOOKINFO, sidecar, world

REVIEWS = "reviews.shop.svc.cluster.local"


def _sidecar(name: str, namespace: str, spec: str) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def test_without_sidecar_all_exported_services_are_seen():
    hidden = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: own, namespace: money}
spec: {hosts: [own.example.com], exportTo: ["."], ports: [{number: 80, name: http, protocol: HTTP}]}
"""
    seen = scope(world(BOOKINFO, hidden), sidecar())
    assert {s.hostname for s in seen.services} == {
        REVIEWS,
        "pay.example.com",
        "*.any.example.com",
        "guess.example.com",
    }
    assert seen.outbound == "ALLOW_ANY"


def test_the_sidecar_of_the_workload_comes_before_those_of_namespace_and_mesh():
    mesh = _sidecar("mesh", "istio-system", "{egress: [{hosts: ['*/*']}]}")
    namespace = _sidecar("all", "shop", "{egress: [{hosts: ['./*']}]}")
    own = _sidecar("own", "shop", "{workloadSelector: {labels: {app: productpage}}}")
    other = _sidecar("other", "shop", "{workloadSelector: {labels: {app: ratings}}}")
    names = []
    for texts in ((mesh,), (mesh, namespace, other), (mesh, namespace, other, own)):
        chosen = select_sidecar(world(*texts), sidecar())
        names.append(chosen.name if chosen else "")
    assert names == ["mesh", "all", "own"]


def test_egress_hosts_limit_what_is_seen_and_the_port_narrows_services():
    text = _sidecar(
        "own",
        "shop",
        "{egress: [{port: {number: 9080, protocol: HTTP, name: h}, hosts: ['./*']},"
        " {hosts: ['money/pay.*']}],"
        " outboundTrafficPolicy: {mode: REGISTRY_ONLY}}",
    )
    seen = scope(world(BOOKINFO, text.replace("money/pay.*", "money/pay.example.com")), sidecar())
    assert [[s.hostname for s in e.services] for e in seen.egress] == [[REVIEWS], ["pay.example.com"]]
    assert [p.number for p in seen.egress[0].services[0].ports] == [9080]
    assert seen.outbound == "REGISTRY_ONLY"


def test_destinations_of_imported_virtual_services_are_seen_too():
    text = _sidecar("own", "shop", "{egress: [{hosts: ['./*']}]}")
    routing = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: v, namespace: shop}
spec: {hosts: [front], http: [{route: [{destination: {host: pay.example.com}}]}]}
"""
    assert scope(world(BOOKINFO, text), sidecar()).by_host.get("pay.example.com") is None
    assert scope(world(BOOKINFO, text, routing), sidecar()).by_host.get("pay.example.com") is not None


def test_exact_hosts_beat_wildcards_of_virtual_services():
    made = world(
        BOOKINFO,
        *(
            f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec: {{hosts: ["{host}"], http: [{{directResponse: {{status: 200}}}}]}}
"""
            for name, host in (
                ("a", "*"),
                ("b", "*.com"),
                ("c", "*.example.com"),
                ("d", "pay.example.com"),
                ("e", "pay.example.com"),
            )
        ),
    )
    egress = scope(made, sidecar()).egress[0]
    found = [best_virtual_service(egress, host) for host in ("pay.example.com", "guess.example.com", REVIEWS)]
    assert [v.name if v else "" for v in found] == ["d", "c", "a"]


def _rule(name: str, namespace: str, spec: str) -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: {namespace}}}
spec: {spec}
"""


def test_destination_rules_of_the_client_come_first_then_the_services_then_the_meshs():
    client = _rule("client", "shop", "{host: pay.example.com}")
    server = _rule("server", "money", "{host: pay.example.com}")
    private = _rule("private", "money", "{host: pay.example.com, exportTo: [.]}")
    root = _rule("root", "istio-system", "{host: '*.example.com'}")
    own = _rule("own", "shop", "{host: '*', workloadSelector: {matchLabels: {app: productpage}}}")
    names = []
    for texts in ((root, private), (root, server), (root, server, client), (root, server, client, own)):
        made = world(BOOKINFO, *texts)
        service = next(s for s in made.services if s.hostname == "pay.example.com")
        found = destination_rule(made, sidecar(), service)
        names.append(found.name if found else "")
    assert names == ["root", "server", "client", "own"]


def test_rules_of_one_host_merge_and_ports_replace_whole_policies():
    one = _rule("a", "shop", "{host: reviews, subsets: [{name: v1, labels: {version: v1}}]}")
    two = _rule(
        "b",
        "shop",
        "{host: reviews, subsets: [{name: v1}, {name: v2, trafficPolicy: {tls: {mode: DISABLE}}}],"
        " trafficPolicy: {loadBalancer: {simple: RANDOM}, tls: {mode: SIMPLE},"
        " portLevelSettings: [{port: {number: 3306}, tls: {mode: ISTIO_MUTUAL}}]}}",
    )
    made = world(BOOKINFO, one, two)
    service = next(s for s in made.services if s.hostname == REVIEWS)
    rule = destination_rule(made, sidecar(), service)
    assert rule
    assert [(s.name, dict(s.labels)) for s in rule.subsets] == [("v1", {"version": "v1"}), ("v2", {})]
    http, special = policy_for(made, rule, 9080, rule.subsets[1]), policy_for(made, rule, 3306)
    assert http.tls
    assert http.tls.mode == "DISABLE"
    assert http.load_balancer
    assert special.tls
    assert special.tls.mode == "ISTIO_MUTUAL"
    assert special.load_balancer is None


def test_mutual_tls_mode_by_port_workload_namespace_and_mesh():
    def policy(namespace: str, spec: str) -> str:
        return f"""
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: p{abs(hash(spec))}, namespace: {namespace}}}
spec: {spec}
"""

    mesh = policy("istio-system", "{mtls: {mode: STRICT}}")
    namespace = policy("shop", "{mtls: {mode: DISABLE}}")
    own = policy(
        "shop",
        "{selector: {matchLabels: {app: a}}, mtls: {mode: UNSET}, portLevelMtls: {80: {mode: STRICT}}}",
    )
    made = world(mesh, namespace, own)
    assert mtls_mode(made, "shop", {"app": "a"}, 80) is Mtls.STRICT
    assert mtls_mode(made, "shop", {"app": "a"}, 81) is Mtls.DISABLE
    assert mtls_mode(made, "shop", {"app": "b"}, 80) is Mtls.DISABLE
    assert mtls_mode(made, "else", {}, 80) is Mtls.STRICT
    assert mtls_mode(world(), "shop", {}, 80) is Mtls.PERMISSIVE
