"""Ingresses as gateways and virtual services."""

import pytest

from proxy.api.gateway import Gateway
from proxy.api.mesh import MeshConfig
from proxy.api.virtual_service import VirtualService
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.registry.ingress import ingress_objects

TEXT = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{name: http, port: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: edge, namespace: shop}
spec:
  ingressClassName: CLASS
  defaultBackend: {service: {name: rest, port: {number: 1}}}
  tls: [{hosts: [a.com], secretName: cert}]
  rules:
  - host: a.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
      - {path: /a, pathType: Prefix, backend: {service: {name: web, port: {number: 2}}}}
      - {path: /e, pathType: Exact, backend: {service: {name: web, port: {number: 3}}}}
      - {path: /i/*, backend: {service: {name: web, port: {number: 4}}}}
      - {path: /lost, backend: {service: {name: web, port: {name: unknown}}}}
"""


def _made(text: str, **mesh: str) -> Collection:
    config = Collection.of(parse(text).objects)
    return Collection.of(ingress_objects(config, MeshConfig.model_validate(mesh), "cluster.local"))


def test_hosts_paths_and_ports():
    made = _made(TEXT.replace("CLASS", "istio"))
    [gateway] = made.all(Gateway)
    assert [(s.port.number, s.hosts) for s in gateway.spec.servers if s.port] == [
        (443, ("a.com",)),
        (80, ("*",)),
    ]
    by_host = {found.spec.hosts[0]: found.spec for found in made.all(VirtualService)}
    assert by_host.keys() == {"a.com", "*"}
    uris = [[m.uri.exact or m.uri.prefix for m in rule.match if m.uri] for rule in by_host["a.com"].http]
    assert uris == [["/e"], ["/i/"], ["/a", "/a/"], ["/"]]
    destination = by_host["a.com"].http[-1].route[0].destination
    assert destination
    assert destination.port
    assert (destination.host, destination.port.number) == ("web.shop.svc.cluster.local", 8080)


@pytest.mark.parametrize(
    ("name", "mode", "count"),
    [
        ("istio", "OFF", 0),
        ("nginx", "STRICT", 0),
        ("nginx", "DEFAULT", 0),
        ("", "DEFAULT", 1),
        ("", "STRICT", 0),
    ],
)
def test_classes(name: str, mode: str, count: int):
    made = _made(TEXT.replace("CLASS", f'"{name}"'), ingressControllerMode=mode)
    assert len(made.all(Gateway)) == count
