"""CUSTOM, AUDIT and trial policies, claims that route, and keys that are fetched."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from proxy.envoy.messages import message_class
from tests.e2e.mesh.external import HOST, outside
from tests.e2e.mesh.mesh import Answer, Mesh, eventually, request
from tests.e2e.mesh.objects import (
    destination_rule,
    entry,
    gateway,
    mesh_config,
    security,
    to,
    virtual_service,
)
from tests.e2e.mesh.test_security import ISSUER, SELECTOR, Issuer, steady

AUTHORIZER = "authz.example.com"
AUTH = "envoy.service.auth.v3"


@contextmanager
def grpc_authorizer() -> Iterator[int]:
    """An authorizer over gRPC that lets in who says so; its port."""
    asked, answered = message_class(f"{AUTH}.CheckRequest"), message_class(f"{AUTH}.CheckResponse")

    def check(message: Any, _: grpc.ServicerContext) -> Any:
        made = answered()
        headers = message.attributes.request.http.headers
        made.status.code = 0 if headers.get("x-pass") == "yes" else 7
        return made

    handler = grpc.unary_unary_rpc_method_handler(
        check, asked.FromString, lambda message: message.SerializeToString()
    )
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(f"{AUTH}.Authorization", {"Check": handler}),)
    )
    port = server.add_insecure_port(f"{HOST}:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()


@contextmanager
def http_authorizer() -> Iterator[int]:
    with outside("authorizer", allows=lambda headers: headers.get("x-pass") == "yes") as made:
        yield made.port


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_an_authorizer_outside_decides(mesh: Mesh, kind: str) -> None:
    with (grpc_authorizer if kind == "grpc" else http_authorizer)() as port:
        settings: dict[str, Any] = {"service": AUTHORIZER, "port": port}
        if kind == "http":
            settings["includeRequestHeadersInCheck"] = ["x-pass"]
        name = "envoyExtAuthzGrpc" if kind == "grpc" else "envoyExtAuthzHttp"
        provider = {"name": "mine", name: settings}
        known = entry(AUTHORIZER, port, kind.upper(), resolution="STATIC", endpoints=[{"address": HOST}])
        rules = [{"to": [{"operation": {"paths": ["/guarded*"]}}]}]
        custom = security(
            "AuthorizationPolicy",
            "ask",
            selector=SELECTOR,
            action="CUSTOM",
            provider={"name": "mine"},
            rules=rules,
        )
        with mesh.applied(mesh_config(extensionProviders=[provider]), known, custom):
            url = "http://echo:8000/guarded"
            steady(lambda: mesh.call(url), 403)
            steady(lambda: mesh.call(url, {"x-pass": "yes"}), 200)
            assert mesh.call("http://echo:8000/open").status == 200


def test_audit_lets_all_through(mesh: Mesh) -> None:
    rules = [{"to": [{"operation": {"methods": ["GET"]}}]}]
    audit = security("AuthorizationPolicy", "look", selector=SELECTOR, action="AUDIT", rules=rules)
    with mesh.applied(audit):
        assert eventually(lambda: _counted(mesh, "rbac.allowed"))
        assert mesh.call(method="POST").status == 200


@pytest.mark.parametrize("action", ["DENY", "ALLOW"])
def test_a_policy_on_trial_is_counted_only(mesh: Mesh, action: str) -> None:
    path = "/trial" if action == "DENY" else "/nobody"
    policy = security(
        "AuthorizationPolicy",
        "trial",
        selector=SELECTOR,
        action=action,
        annotations={"istio.io/dry-run": "true"},
        rules=[{"to": [{"operation": {"paths": [path]}}]}],
    )
    with mesh.applied(policy):
        word = f"istio_dry_run_{action.lower()}_.shadow_denied"
        assert eventually(lambda: _counted(mesh, word))


def _counted(mesh: Mesh, word: str) -> bool:
    answers = [mesh.call("http://echo:8000/trial") for _ in range(6)]
    assert {answer.status for answer in answers} == {200}
    return mesh.counters("echo-v1", word) > 0


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def test_keys_are_fetched_from_their_address(mesh: Mesh, issuer: Issuer) -> None:
    with outside(text=issuer.jwks()) as keys:
        rule = {"issuer": ISSUER, "jwksUri": f"http://{HOST}:{keys.port}/keys"}
        tokens = security("RequestAuthentication", "fetched", selector=SELECTOR, jwtRules=[rule])
        with mesh.applied(tokens):
            bearer = {"authorization": f"Bearer {issuer.token()}"}
            stranger = {"authorization": f"Bearer {Issuer().token()}"}
            steady(lambda: mesh.call(headers=stranger), 401)
            steady(lambda: mesh.call(headers=bearer), 200)
            assert keys.seen


def test_claims_of_a_token_route(mesh: Mesh, issuer: Issuer) -> None:
    tokens = security(
        "RequestAuthentication",
        "claims",
        "istio-system",
        selector={"matchLabels": {"istio": "ingressgateway"}},
        jwtRules=[{"issuer": ISSUER, "jwks": issuer.jwks()}],
    )
    admins = {"match": [{"headers": {"@request.auth.claims.group": {"exact": "admin"}}}], "route": [to("v3")]}
    routed = virtual_service(admins, {"route": [to("v1")]}, host="echo.example.com", gateways=["gate"])
    with mesh.applied(destination_rule(), gateway("gate", mesh.ingress), routed, tokens):

        def enter(group: str) -> Answer:
            return mesh.enter(authorization=f"Bearer {issuer.token(group=group)}")

        assert eventually(lambda: enter("admin").version == "v3")
        assert enter("user").version == mesh.enter().version == "v1"


def test_a_policy_for_connections(mesh: Mesh) -> None:
    deny = security(
        "AuthorizationPolicy",
        "lines",
        selector={"matchLabels": {"app": "tcp"}},
        action="DENY",
        rules=[{"to": [{"operation": {"ports": ["9000"]}}]}],
    )
    assert eventually(lambda: mesh.line(9000) in ("v1", "v2"))
    with mesh.applied(deny):

        def closed() -> bool:
            try:
                return not any(mesh.line(9000) for _ in range(6))
            except OSError:
                return True

        assert eventually(closed)


def test_mutual_tls_is_refused_by_one_port_only(mesh: Mesh) -> None:
    ports = {8000: {"mode": "DISABLE"}}
    peers = security(
        "PeerAuthentication", "ports", selector=SELECTOR, mtls={"mode": "STRICT"}, portLevelMtls=ports
    )
    where = mesh.proxy("echo-v1")["address"]
    with mesh.applied(peers, destination_rule(tls={"mode": "DISABLE"})):
        steady(mesh.call, 200)
        assert request(where, 8000, "/").status == 200
