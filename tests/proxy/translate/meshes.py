"""Meshes for tests, from YAML."""

from typing import Any

from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.registry.build import services
from proxy.translate.world import Interception, Proxy, ProxyType, World

BOOKINFO = """
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  clusterIP: 10.0.0.1
  selector: {app: reviews}
  ports: [{name: http, port: 9080}, {name: tcp-db, port: 3306}]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-1, namespace: shop}
spec:
  address: 127.0.1.1
  labels: {app: reviews, version: v1, security.istio.io/tlsMode: istio}
  locality: r1/z1/s1
  serviceAccount: reviews
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: reviews-2, namespace: shop}
spec:
  address: 127.0.1.2
  labels: {app: reviews, version: v2, security.istio.io/tlsMode: istio}
  locality: r2/z1
  ports: {http: 19080}
  serviceAccount: reviews
  weight: 3
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pay, namespace: money}
spec:
  hosts: [pay.example.com]
  resolution: DNS
  ports:
  - {number: 443, name: tls, protocol: TLS}
  - {number: 80, name: http, protocol: HTTP}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: any, namespace: money}
spec:
  hosts: ["*.any.example.com"]
  resolution: DYNAMIC_DNS
  ports:
  - {number: 443, name: tls, protocol: TLS}
  - {number: 8081, name: http, protocol: HTTP}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: guess, namespace: money}
spec:
  hosts: [guess.example.com]
  addresses: [10.9.0.0/16, 10.8.0.1]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{address: "unix:///run/guess.sock"}, {address: 10.8.0.9}]
  ports: [{number: 7000, name: any}, {number: 7001, name: mongo, protocol: MONGO}]
"""


def world(*texts: str, mesh: dict[str, Any] | None = None) -> World:
    parsed = [parse(text) for text in texts]
    problems = [problem for found in parsed for problem in found.problems]
    assert not problems
    config = Collection.of(o for found in parsed for o in found.objects)
    settings = MeshConfig.model_validate(mesh or {})
    return World(config, services(config, settings, "cluster.local"), settings)


def sidecar(**changes: Any) -> Proxy:
    values: dict[str, Any] = {
        "id": "productpage-1.shop",
        "type": ProxyType.SIDECAR,
        "namespace": "shop",
        "addresses": ("127.0.1.9",),
        "labels": {"app": "productpage"},
        "dns_domain": "shop.svc.cluster.local",
    }
    return Proxy(**{**values, **changes})


def process(**changes: Any) -> Proxy:
    """The sidecar of a plain process: nothing intercepts."""
    return sidecar(interception=Interception.NONE, http_proxy_port=15080, **changes)
