"""Configurations for the codes about policies, selectors and exports; ``# here`` marks what is told."""

from tests.proxy.analyze.documents import (
    HTTP,
    MESH_POD,
    Case,
    deployment,
    gateway,
    join,
    route,
    rule,
    service,
)

_POLICY = "AuthorizationPolicy default/it"
_SOURCES, _OPERATIONS = "kiali.authorization.Sources", "kiali.authorization.Operations"
_IDENTITIES, _COVERAGE = "kiali.mutualtls.Identities", "kiali.authorization.Coverage"


def _policy(field: str, where: str = "from", holder: str = "source", more: str = "") -> str:
    return f"""\
kind: AuthorizationPolicy
metadata: {{name: it}}
spec:
  {more}
  rules:
  - {where}:
    - {holder}:
        {field}"""


def _peer(name: str, mode: str, selector: str = "{}", namespace: str = "default") -> str:
    return f"""\
kind: PeerAuthentication
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  selector:  # {name}
    matchLabels: {selector}
  mtls:
    mode: {mode}"""


def _mesh_peer(mode: str, namespace: str = "istio-system", mark: str = "") -> str:
    return f"""\
kind: PeerAuthentication
metadata: {{name: it, namespace: {namespace}}}
spec:
  mtls:{mark}
    mode: {mode}"""


def _tls(host: str, mode: str, mark: str = "") -> str:
    return f"""\
kind: DestinationRule
metadata: {{name: it}}
spec:
  host: "{host}"
  trafficPolicy:
    tls:
      mode: {mode}{mark}"""


_ALL, _ONES = "*.local", "*.default.svc.cluster.local"
_HERE = "  # here"
_ACCOUNT = "cluster.local/ns/default/sa/default"

_AUTHORIZATION = [
    Case(
        "namespaces that nothing is in",
        _SOURCES,
        join(
            MESH_POD,
            _policy('namespaces:\n        - default\n        - gone  # here\n        - "gon*"  # here'),
        ),
        tuple(("KIA0101", _POLICY, f"spec.rules[0].from[0].source.namespaces[{i}]") for i in (1, 2)),
    ),
    Case("namespaces by their beginning", _SOURCES, _policy('notNamespaces: ["def*", "*ault", "*"]')),
    Case(
        "a service account of no workload",
        _SOURCES,
        join(MESH_POD, _policy("principals:\n        - cluster.local/ns/default/sa/gone  # here")),
        (("KIA0106", _POLICY, "spec.rules[0].from[0].source.principals[0]"),),
    ),
    Case(
        "service accounts of a pod, of other meshes, by wildcard",
        _SOURCES,
        join(MESH_POD, _policy(f'principals: ["{_ACCOUNT}", "spiffe://{_ACCOUNT}", td/ns/a/sa/b, "*/sa/b"]')),
    ),
    Case(
        "a method that HTTP does not have",
        _OPERATIONS,
        _policy('methods:\n        - GET\n        - "P*"\n        - get  # here', "to", "operation"),
        (("KIA0102", _POLICY, "spec.rules[0].to[0].operation.methods[2]"),),
    ),
    Case("methods", _OPERATIONS, _policy('notMethods: [GET, PATCH, "*", "*T"]', "to", "operation")),
    Case(
        "a host that nothing serves",
        _OPERATIONS,
        join(service(), _policy("hosts:\n        - reviews\n        - ratings  # here", "to", "operation")),
        (("KIA0104", _POLICY, "spec.rules[0].to[0].operation.hosts[1]"),),
    ),
    Case(
        "hosts of services, by wildcard, with port",
        _OPERATIONS,
        join(
            service(), _policy('hosts: ["reviews.default:80", "reviews*", "*.local", "*"]', "to", "operation")
        ),
    ),
    Case(
        "hosts that are served at the edge",
        _OPERATIONS,
        join(
            gateway(HTTP.replace("a.com", '"default/*.a.com"')),
            route("{hosts: [b.com]}"),
            _policy('hosts: [x.a.com, "x.a.com*", "*.a.com", b.com]', "to", "operation"),
        ),
    ),
    Case(
        "a workload that no policy is for",
        _COVERAGE,
        join(
            MESH_POD,
            deployment(),
            "kind: Pod\nmetadata: {name: other}  # here",
            _policy("namespaces: [default]", more="selector: {matchLabels: {app: reviews}}"),
        ),
        (("KIA1301", "Pod default/other", "metadata"),),
    ),
    Case("no policies at all", _COVERAGE, join(MESH_POD, deployment())),
    Case(
        "a policy for the mesh",
        _COVERAGE,
        join(
            deployment(), "kind: AuthorizationPolicy\nmetadata: {name: it, namespace: istio-system}\nspec: {}"
        ),
    ),
]

_MUTUAL_TLS = [
    Case(
        "identities of callers without TLS",
        _IDENTITIES,
        join(_policy("notPrincipals: [a]  # here"), _peer("plain", "DISABLE", "{}")),
        (("KIA0105", _POLICY, "spec.rules[0].from[0].source.notPrincipals"),),
    ),
    Case(
        "identities in conditions",
        _IDENTITIES,
        join(
            "kind: AuthorizationPolicy\nmetadata: {name: it}\nspec:\n  rules:\n  - when:\n"
            "    - {key: source.ip, values: [10.0.0.1]}\n    - {key: source.namespace, values: [a]}  # here",
            _tls(_ONES, "SIMPLE"),
        ),
        (("KIA0105", _POLICY, "spec.rules[0].when[1]"),),
    ),
    Case(
        "identities where a workload is not like its namespace",
        _IDENTITIES,
        join(
            MESH_POD,
            _policy("principals: [a]  # here", more="selector: {matchLabels: {app: reviews}}"),
            _peer("plain", "DISABLE", "{app: reviews}"),
            _peer("strict", "STRICT"),
        ),
        (("KIA0105", _POLICY, "spec.rules[0].from[0].source.principals"),),
    ),
    Case(
        "identities with TLS by itself",
        _IDENTITIES,
        join(_policy("principals: [a]"), _peer("strict", "UNSET")),
    ),
    Case(
        "identities without TLS by itself",
        _IDENTITIES,
        join(_policy("principals: [a]  # here"), _peer("strict", "STRICT")),
        (("KIA0105", _POLICY, "spec.rules[0].from[0].source.principals"),),
        mesh="enableAutoMtls: false",
    ),
    Case(
        "a rule of a service's own turns TLS on",
        _IDENTITIES,
        join(
            service(),
            _policy("principals: [a]", more="selector: {matchLabels: {app: reviews}}"),
            _peer("strict", "STRICT"),
            _tls("reviews", "ISTIO_MUTUAL"),
        ),
        mesh="enableAutoMtls: false",
    ),
    Case(
        "no TLS to a strict namespace",
        "kiali.mutualtls.DisabledRules",
        join(_tls(_ONES, "DISABLE", _HERE), _mesh_peer("STRICT", "default")),
        (("KIA0207", "DestinationRule default/it", "spec.trafficPolicy.tls.mode"),),
    ),
    Case(
        "no TLS to a strict mesh",
        "kiali.mutualtls.DisabledRules",
        join(_tls(_ONES, "DISABLE", _HERE), _mesh_peer("STRICT")),
        (("KIA0208", "DestinationRule default/it", "spec.trafficPolicy.tls.mode"),),
    ),
    Case(
        "no TLS to a namespace that permits it",
        "kiali.mutualtls.DisabledRules",
        join(_tls(_ONES, "DISABLE"), _mesh_peer("STRICT"), _mesh_peer("PERMISSIVE", "default")),
    ),
    Case(
        "TLS to a namespace that has none",
        "kiali.mutualtls.DisabledPeers",
        join(_tls(_ALL, "ISTIO_MUTUAL"), _mesh_peer("DISABLE", "default", _HERE)),
        (("KIA0505", "PeerAuthentication default/it", "spec.mtls"),),
    ),
    Case(
        "TLS to a mesh that has none",
        "kiali.mutualtls.DisabledPeers",
        join(_tls(_ALL, "MUTUAL"), _mesh_peer("DISABLE", mark=_HERE)),
        (("KIA0506", "PeerAuthentication istio-system/it", "spec.mtls"),),
    ),
    Case(
        "no TLS on both sides",
        "kiali.mutualtls.DisabledPeers",
        join(_tls(_ONES, "DISABLE"), _mesh_peer("DISABLE", "default")),
    ),
]

_SELECTORS = [
    Case(
        "two defaults of a namespace",
        "kiali.selectors.Repeated",
        join(
            "kind: Sidecar\nmetadata: {name: a}\nspec: {}  # here",
            "kind: Sidecar\nmetadata: {name: b}\nspec: {}  # here",
            "kind: Sidecar\nmetadata: {name: c, namespace: other}\nspec: {}",
        ),
        tuple(("KIA0002", f"Sidecar default/{name}", "spec") for name in "ab"),
    ),
    Case(
        "two for one workload",
        "kiali.selectors.Repeated",
        join(
            MESH_POD,
            _peer("here", "STRICT", "{app: reviews}"),
            _peer("here-too", "STRICT", "{app: reviews}"),
            _peer("other", "STRICT", "{app: other}"),
        ),
        tuple(
            ("KIA0003", f"PeerAuthentication default/{name}", "spec.selector")
            for name in ("here", "here-too")
        ),
    ),
    Case(
        "a default and a special one",
        "kiali.selectors.Repeated",
        join(MESH_POD, _mesh_peer("STRICT", "default"), _peer("b", "STRICT", "{app: reviews}")),
    ),
    Case(
        "a selector that finds nothing",
        "kiali.selectors.Workloads",
        join(
            MESH_POD,
            _peer("here", "STRICT", "{app: gone}"),
            "kind: EnvoyFilter\nmetadata: {name: it}\nspec:\n"
            "  workloadSelector:  # here\n    labels: {app: gone}\n  configPatches: []",
        ),
        (
            ("KIA0004", "EnvoyFilter default/it", "spec.workloadSelector"),
            ("KIA0004", "PeerAuthentication default/here", "spec.selector"),
        ),
    ),
    Case(
        "a selector for the mesh",
        "kiali.selectors.Workloads",
        join(MESH_POD, _peer("a", "STRICT", "{app: reviews}", "istio-system")),
    ),
]

_EXPORTS = [
    Case(
        "an export to a namespace that is not there",
        "kiali.exports.Namespaces",
        "kind: DestinationRule\nmetadata: {name: it}\nspec:\n  host: a\n  exportTo:\n  - .\n  - gone  # here",
        (("KIA0005", "DestinationRule default/it", "spec.exportTo[1]"),),
    ),
    Case(
        "exports",
        "kiali.exports.Namespaces",
        join(MESH_POD, rule('{host: a, exportTo: [".", "*", default]}')),
    ),
]

CASES = (*_AUTHORIZATION, *_MUTUAL_TLS, *_SELECTORS, *_EXPORTS)
