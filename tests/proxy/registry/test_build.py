from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.registry.build import services
from proxy.registry.model import Protocol, Resolution, Service


def built(text: str, domain: str = "cluster.local", mesh: MeshConfig | None = None) -> dict[str, Service]:
    parsed = parse(text)
    assert not parsed.problems
    found = services(Collection.of(parsed.objects), mesh or MeshConfig(), domain)
    return {service.hostname: service for service in found}


PODS = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a, annotations: {networking.istio.io/exportTo: "., b"}}
spec:
  clusterIP: 10.1.1.1
  selector: {app: web}
  ports:
  - {name: http-main, port: 80, targetPort: main}
  - {name: any, port: 81, targetPort: 8081, appProtocol: kubernetes.io/h2c}
  - {name: grpc-web, port: 82}
  - {name: dns, port: 53, protocol: UDP}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-v1, namespace: a}
spec: {selector: {matchLabels: {app: web}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web-v1-abc-x, namespace: a, labels: {app: web, sidecar.istio.io/inject: "true"}}
spec:
  serviceAccountName: webby
  containers: [{name: app, ports: [{name: main, containerPort: 8080}]}]
status: {podIP: 10.2.2.2, phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: a, labels: {app: web}}
spec: {}
status: {podIP: 10.2.2.3, phase: Succeeded}
"""


def test_pods_become_endpoints_of_the_services_that_select_them():
    web = built(PODS)["web.a.svc.cluster.local"]
    assert web.addresses == ("10.1.1.1",)
    assert web.export_to == (".", "b")
    assert [p.protocol for p in web.ports] == [
        Protocol.HTTP,
        Protocol.HTTP2,
        Protocol.GRPC_WEB,
        Protocol.UDP,
    ]
    found = {e.service_port: (e.address, e.port) for e in web.endpoints}
    assert found["http-main"] == ("10.2.2.2", 8080)
    assert found["any"] == ("10.2.2.2", 8081)
    assert {(e.workload, e.service_account, e.mesh) for e in web.endpoints} == {("web-v1", "webby", True)}


def test_slices_headless_services_and_aliases():
    found = built("""
apiVersion: v1
kind: Service
metadata: {name: db, namespace: a}
spec: {clusterIP: None, ports: [{name: mysql, port: 3306}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: a, labels: {kubernetes.io/service-name: db}}
endpoints: [{addresses: [10.3.0.1, 10.3.0.2]}]
ports: [{name: mysql, port: 3306}]
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: a}
spec: {type: ExternalName, externalName: db.a.svc.cluster.local}
""")
    db = found["db.a.svc.cluster.local"]
    assert db.resolution is Resolution.PASSTHROUGH
    assert [e.address for e in db.endpoints] == ["10.3.0.1", "10.3.0.2"]
    other = found["other.a.svc.cluster.local"]
    assert (other.resolution, other.alias_of) == (Resolution.ALIAS, "db.a.svc.cluster.local")


def test_service_entries_of_every_resolution():
    template = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: a}}
spec:
  hosts: ["{host}"]
  resolution: {resolution}
  ports: [{{number: 80, name: http, protocol: HTTP, targetPort: 8080}}]
"""
    kinds = {
        "NONE": Resolution.PASSTHROUGH,
        "STATIC": Resolution.EDS,
        "DNS": Resolution.STRICT_DNS,
        "DNS_ROUND_ROBIN": Resolution.LOGICAL_DNS,
        "DYNAMIC_DNS": Resolution.DYNAMIC_DNS,
    }
    texts = [
        template.format(name=f"se{n}", host=f"{n}.example.com", resolution=kind)
        for n, kind in enumerate(kinds)
    ]
    found = built("---".join(texts))
    assert [found[f"{n}.example.com"].resolution for n in range(5)] == list(kinds.values())
    assert all(service.external for service in found.values())
    assert [(e.address, e.port) for e in found["2.example.com"].endpoints] == [("2.example.com", 8080)]
    assert not found["1.example.com"].endpoints


def test_workload_entries_by_selector_have_the_name_of_their_group():
    found = built("""
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: pool, namespace: a}
spec:
  metadata: {labels: {app: pay}}
  template: {serviceAccount: payer}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: pool-1, namespace: a}
spec: {address: 127.0.0.9, ports: {http: 9999}, labels: {app: pay}, weight: 5, locality: x/y}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: elsewhere, namespace: b}
spec: {address: 127.0.0.8, labels: {app: pay}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay, namespace: a}
spec:
  hosts: [pay.internal]
  location: MESH_INTERNAL
  resolution: STATIC
  workloadSelector: {labels: {app: pay}}
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 81, name: x, protocol: TCP}]
""")
    service = found["pay.internal"]
    assert [(e.address, e.port, e.workload, e.weight) for e in service.endpoints] == [
        ("127.0.0.9", 9999, "pool", 5),
        ("127.0.0.9", 81, "pool", 5),
    ]


def test_addresses_given_to_services_without_one_are_stable_and_distinct():
    text = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: many, namespace: a}
spec:
  hosts: [one.com, two.com, "*.three.com"]
  resolution: DNS
  ports: [{number: 5432, name: tcp, protocol: TCP}]
"""
    first, again = built(text), built(text)
    given = {first[h].auto_address for h in ("one.com", "two.com")}
    assert len(given) == 2
    assert all(address.startswith("240.240.") for address in given)
    assert first == again
    assert not first["*.three.com"].auto_address


def test_without_a_domain_names_have_no_suffix_and_the_mesh_says_who_sees_them():
    mesh = MeshConfig.model_validate({"defaultServiceExportTo": ["."]})
    found = built(
        "{apiVersion: v1, kind: Service, metadata: {name: x, namespace: shop}, spec: {ports: [{port: 80}]}}",
        domain="",
        mesh=mesh,
    )
    assert found["x.shop"].export_to == (".",)
    assert found["x.shop"].ports[0].protocol is Protocol.AUTO
