"""Configurations for the codes about traffic; ``# here`` marks the lines that are told."""

from tests.proxy.analyze.documents import (
    APP,
    DR,
    GATEWAY_POD,
    GW,
    HTTP,
    MESH_POD,
    VS,
    Case,
    entry,
    gateway,
    join,
    route,
    rule,
    scoped,
    service,
)

_SE = "ServiceEntry default/it"
_SIDECAR = "Sidecar default/it"
_SUBSET = "{host: reviews, subsets: [{name: v1, labels: {app: reviews}}]}"
_PORT = "{number: 80, name: http, protocol: HTTP}"
_V1 = "route: [{destination: {host: reviews, subset: v1}}]"


def _route(field: str) -> str:
    return f"kind: VirtualService\nmetadata: {{name: it}}\nspec:\n  hosts: [reviews]\n{field}"


def _subsets(field: str) -> str:
    return f"kind: DestinationRule\nmetadata: {{name: it}}\nspec:\n  host: reviews\n  subsets:\n{field}"


def _sidecar(field: str, namespace: str = "default") -> str:
    return f"kind: Sidecar\nmetadata: {{name: it, namespace: {namespace}}}\nspec:\n{field}"


_ROUTES = [
    Case(
        "a destination that is not there",
        "kiali.virtualservice.Hosts",
        _route("  http:\n  - route:\n    - destination:\n        host: gone  # here"),
        (("KIA1101", VS, "spec.http[0].route[0].destination.host"),),
    ),
    Case(
        "a destination by service and namespace",
        "kiali.virtualservice.Hosts",
        join(service(), route("{hosts: [a], http: [{route: [{destination: {host: reviews.default}}]}]}")),
    ),
    Case(
        "a destination that a ServiceEntry calls like a service",
        "kiali.virtualservice.Hosts",
        join(
            entry(f"{{hosts: [db.default], ports: [{_PORT}]}}"),
            route("{hosts: [a], http: [{route: [{destination: {host: db.default}}]}]}"),
        ),
    ),
    Case(
        "gateways that are not there",
        "kiali.virtualservice.Gateways",
        _route(
            "  gateways:\n  - mesh\n  - gone  # here\n  http:\n  - match:\n"
            "    - gateways: [other/gone]  # here\n    route: [{destination: {host: a}}]"
        ),
        (("KIA1102", VS, "spec.gateways[1]"), ("KIA1102", VS, "spec.http[0].match[0].gateways[0]")),
    ),
    Case(
        "a gateway by its old name",
        "kiali.virtualservice.Gateways",
        join(gateway(HTTP), _route("  gateways:\n  - it.default.svc.cluster.local  # here")),
        (("KIA1108", VS, "spec.gateways[0]"),),
    ),
    Case(
        "gateways",
        "kiali.virtualservice.Gateways",
        join(gateway(HTTP), route("{hosts: [a], gateways: [mesh, it, default/it]}")),
    ),
    Case(
        "the weight of an only destination",
        "kiali.virtualservice.Weights",
        _route("  tcp:\n  - route:\n    - destination: {host: a}\n      weight: 75  # here"),
        (("KIA1104", VS, "spec.tcp[0].route[0].weight"),),
    ),
    Case(
        "weights",
        "kiali.virtualservice.Weights",
        route(
            "{hosts: [a], tcp: [{route: [{destination: {host: a}, weight: 100}]}], http: [{route: "
            "[{destination: {host: a}, weight: 75}, {destination: {host: b}, weight: 25}]}]}"
        ),
    ),
    Case(
        "a destination twice",
        "kiali.virtualservice.RepeatedDestinations",
        _route(
            "  http:\n  - route:\n    - destination: {host: a, subset: v1}\n"
            "    - destination: {host: a.default, subset: v1}  # here"
        ),
        (("KIA1105", VS, "spec.http[0].route[1].destination"),),
    ),
    Case(
        "destinations",
        "kiali.virtualservice.RepeatedDestinations",
        route(
            "{hosts: [a], http: [{route: [{destination: {host: a}}, {destination: {host: a, subset: v1}}]}]}"
        ),
    ),
    Case(
        "a host of two",
        "kiali.virtualservice.RepeatedHosts",
        join(
            _route("  gateways: [edge]").replace("[reviews]", "[a.com]  # here"),
            _route("  gateways: [default/edge]").replace("[reviews]", "[a.com]  # here").replace("it}", "b}"),
        ),
        (("KIA1106", VS, "spec.hosts"), ("KIA1106", "VirtualService default/b", "spec.hosts")),
    ),
    Case(
        "a host of two gateways, and all hosts",
        "kiali.virtualservice.RepeatedHosts",
        join(
            route('{hosts: [a.com, "*"], gateways: [edge]}'),
            route("{hosts: [a.com], gateways: [mesh]}", "b"),
            route('{hosts: ["*"], gateways: [edge]}', "c"),
        ),
    ),
    Case(
        "a subset that no rule has",
        "kiali.virtualservice.Subsets",
        join(
            rule(_SUBSET),
            _route("  http:\n  - route:\n    - destination:  # here\n        {host: reviews, subset: v2}"),
        ),
        (("KIA1107", VS, "spec.http[0].route[0].destination"),),
    ),
    Case(
        "a subset",
        "kiali.virtualservice.Subsets",
        join(
            rule(_SUBSET),
            route("{hosts: [a], http: [{route: [{destination: {host: reviews, subset: v1}}]}]}"),
        ),
    ),
]

_RULES = [
    Case(
        "two rules for a subset",
        "kiali.destinationrule.Repeated",
        join(
            _subsets("  - {name: v1, labels: {v: a}}").replace("reviews", "reviews  # here"),
            "kind: DestinationRule\nmetadata: {name: b}\nspec:\n  host: reviews.default  # here",
        ),
        (("KIA0201", DR, "spec.host"), ("KIA0201", "DestinationRule default/b", "spec.host")),
    ),
    Case(
        "rules for different subsets, and for different callers",
        "kiali.destinationrule.Repeated",
        join(
            rule(_SUBSET),
            rule(_SUBSET.replace("v1", "v2")).replace("it}", "b}"),
            rule("{host: reviews, workloadSelector: {matchLabels: {app: a}}}").replace("it}", "c}"),
        ),
    ),
    Case(
        "a host that is not there",
        "kiali.destinationrule.Hosts",
        "kind: DestinationRule\nmetadata: {name: it}\nspec:\n  host: gone  # here",
        (("KIA0202", DR, "spec.host"),),
    ),
    Case(
        "hosts",
        "kiali.destinationrule.Hosts",
        join(service(), rule("{host: reviews}"), rule('{host: "*.local"}').replace("it}", "b}")),
    ),
    Case(
        "a subset without endpoints",
        "kiali.destinationrule.Subsets",
        join(
            service(),
            MESH_POD,
            _subsets("  - name: v1  # here\n    labels: {v: gone}"),
            route(f"{{hosts: [a], http: [{{{_V1}}}]}}"),
        ),
        (("KIA0203", DR, "spec.subsets[0]"),),
    ),
    Case(
        "a subset without endpoints of a ServiceEntry",
        "kiali.destinationrule.Subsets",
        join(
            entry(
                f"{{hosts: [a.com], ports: [{_PORT}], endpoints: [{{address: 10.0.0.1, labels: {{v: a}}}}]}}"
            ),
            _subsets("  - {name: a, labels: {v: a}}\n  - {name: b, labels: {v: b}}  # here").replace(
                "host: reviews", "host: a.com"
            ),
        ),
        (("KIA0203", DR, "spec.subsets[1]"),),
    ),
    Case(
        "a subset without labels",
        "kiali.destinationrule.Subsets",
        join(service(), _subsets("  - name: all  # here")),
        (("KIA0209", DR, "spec.subsets[0]"),),
    ),
    Case(
        "a subset with endpoints", "kiali.destinationrule.Subsets", join(service(), MESH_POD, rule(_SUBSET))
    ),
]

_EDGE = [
    Case(
        "a host of two gateways",
        "kiali.gateway.Repeated",
        join(
            "kind: Gateway\nmetadata: {name: it}\nspec:\n  selector: {istio: edge}\n  servers:\n"
            f"  - port: {_PORT}\n    hosts:\n    - b.com\n    - ./a.com  # here",
            gateway(HTTP, "other") + "  # here",
        ),
        (
            ("KIA0301", GW, "spec.servers[0].hosts[1]"),
            ("KIA0301", "Gateway default/other", "spec.servers[0].hosts[0]"),
        ),
    ),
    Case(
        "a host of gateways that share no workload",
        "kiali.gateway.Repeated",
        join(gateway(HTTP), gateway(HTTP, "other", "{istio: other}")),
    ),
    Case(
        "a gateway of no workload",
        "kiali.gateway.Workloads",
        "kind: Gateway\nmetadata: {name: it}\nspec:\n  selector:  # here\n    istio: edge\n  servers: []",
        (("KIA0302", GW, "spec.selector"),),
    ),
    Case("a gateway", "kiali.gateway.Workloads", join(GATEWAY_POD, gateway(HTTP))),
    Case(
        "a port that tells no protocol",
        "kiali.service.PortNames",
        "kind: Service\nmetadata: {name: it}\nspec:\n  ports:\n  - port: 80\n    name: web  # here",
        (("KIA0601", "Service default/it", "spec.ports[0].name"),),
    ),
    Case(
        "ports",
        "kiali.service.PortNames",
        service(ports="{name: http-web, port: 80}, {port: 53, protocol: UDP}"),
    ),
    Case(
        "a host and port of two",
        "kiali.serviceentry.Repeated",
        join(
            "kind: ServiceEntry\nmetadata: {name: it}\nspec:\n  hosts: [a.com]\n  ports:\n"
            "  - {number: 80, name: http, protocol: HTTP}  # here 2",
            "kind: ServiceEntry\nmetadata: {name: b}\nspec:\n  hosts: [a.com]\n  ports:\n"
            "  - {number: 81, name: http, protocol: HTTP}\n"
            "  - {number: 80, name: tcp, protocol: TCP}  # here 2",
        ),
        (
            ("KIA1211", _SE, "spec.ports[0]"),
            ("KIA1211", "ServiceEntry default/b", "spec.ports[1]"),
            ("KIA1212", _SE, "spec.ports[0]"),
            ("KIA1212", "ServiceEntry default/b", "spec.ports[1]"),
        ),
    ),
    Case(
        "a host that no namespace sees twice",
        "kiali.serviceentry.Repeated",
        join(
            entry(f'{{hosts: [a.com], exportTo: ["."], ports: [{_PORT}]}}'),
            entry(f'{{hosts: [a.com], exportTo: ["."], ports: [{_PORT}]}}', namespace="other"),
        ),
    ),
]

_SIDECARS = [
    Case(
        "a host that a Sidecar lets out to and nothing is",
        "kiali.sidecar.Egress",
        join(
            service(),
            _sidecar(
                "  egress:\n  - hosts:\n    - ./reviews.default.svc.cluster.local\n    - ./gone.com  # here"
            ),
        ),
        (("KIA1004", _SIDECAR, "spec.egress[0].hosts[1]"),),
    ),
    Case(
        "a host of another namespace",
        "kiali.sidecar.Egress",
        join(
            service(),
            _sidecar("  egress:\n  - hosts:\n    - other/reviews.default.svc.cluster.local  # here"),
        ),
        (("KIA1004", _SIDECAR, "spec.egress[0].hosts[0]"),),
    ),
    Case(
        "hosts that a Sidecar lets out to",
        "kiali.sidecar.Egress",
        join(
            entry(f"{{hosts: [a.com], ports: [{_PORT}]}}", namespace="other"),
            route("{hosts: [b.com]}"),
            _sidecar('  egress: [{hosts: ["./*", "*/*.org", other/a.com, "*/a.com", "./b.com", "~/*"]}]'),
        ),
    ),
    Case(
        "a default Sidecar that selects",
        "kiali.sidecar.Defaults",
        _sidecar("  workloadSelector:  # here\n    labels: {app: reviews}", "istio-system"),
        (("KIA1006", "Sidecar istio-system/it", "spec.workloadSelector"),),
    ),
    Case("a Sidecar that selects", "kiali.sidecar.Defaults", scoped("Sidecar", "it", APP)),
    Case(
        "a policy without mode",
        "kiali.sidecar.OutboundModes",
        _sidecar("  outboundTrafficPolicy: {}  # here"),
        (("KIA1007", _SIDECAR, "spec.outboundTrafficPolicy"),),
    ),
    Case(
        "a policy with mode",
        "kiali.sidecar.OutboundModes",
        _sidecar("  outboundTrafficPolicy: {mode: REGISTRY_ONLY}"),
    ),
]

CASES = (*_ROUTES, *_RULES, *_EDGE, *_SIDECARS)
