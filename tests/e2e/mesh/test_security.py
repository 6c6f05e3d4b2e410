"""Identity and policies by real Envoys."""

import base64
import json
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.e2e.mesh.mesh import Answer, Mesh, eventually, request
from tests.e2e.mesh.objects import destination_rule, networking, security

SELECTOR = {"matchLabels": {"app": "echo"}}
ENOUGH = 16  # requests that meet all three endpoints
ISSUER = "https://issuer.example.com"


def steady(call: Callable[[], Answer], status: int) -> Answer:
    """The answer, once every endpoint gives this status."""

    def found() -> Answer:
        answers = [call() for _ in range(ENOUGH)]
        assert {answer.status for answer in answers} == {status}, answers[0].text
        return answers[-1]

    return eventually(found)


def echo_address(mesh: Mesh) -> str:
    """Where the Envoy of one echo listens for callers."""
    return next(p["address"] for p in mesh.proxies() if p["workload"] == "echo-v1")


def plain(mesh: Mesh) -> int:
    """Status of a request that comes without TLS; 0: the connection was refused or reset."""
    try:
        return request(echo_address(mesh), 8000, "/").status
    except (OSError, EOFError):
        return 0


def test_strict_mutual_tls_refuses_plain_text_which_permissive_takes(mesh: Mesh) -> None:
    assert eventually(lambda: plain(mesh) == 200)
    with mesh.applied(security("PeerAuthentication", "strict", mtls={"mode": "STRICT"})):
        assert eventually(lambda: plain(mesh) == 0)
        assert mesh.call().status == 200


def test_only_the_named_identity_may_call(mesh: Mesh) -> None:
    def allow(account: str) -> str:
        source = {"source": {"principals": [f"cluster.local/ns/default/sa/{account}"]}}
        return security("AuthorizationPolicy", "callers", selector=SELECTOR, rules=[{"from": [source]}])

    with mesh.applied(allow("client")):
        steady(mesh.call, 200)
        assert eventually(lambda: plain(mesh) == 403)
    with mesh.applied(allow("somebody")):
        answer = steady(mesh.call, 403)
        assert answer.text == "RBAC: access denied"


def test_deny_comes_before_allow(mesh: Mesh) -> None:
    gets = [{"to": [{"operation": {"methods": ["GET"]}}]}]
    allow = security("AuthorizationPolicy", "allow", selector=SELECTOR, rules=gets)
    deny = security(
        "AuthorizationPolicy",
        "deny",
        selector=SELECTOR,
        action="DENY",
        rules=[{"to": [{"operation": {"paths": ["/secret*"]}}]}],
    )
    with mesh.applied(allow, deny):
        steady(lambda: mesh.call("http://echo:8000/secret"), 403)
        assert mesh.call("http://echo:8000/open").status == 200
        refused = mesh.call("http://echo:8000/open", method="POST")
        assert refused.status == 403
        logged = mesh.entries(refused, 2)
        assert any(e["response_code_details"].startswith("rbac_access_denied") for e in logged)


class Issuer:
    """Signs tokens (RS256)."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self) -> str:
        numbers = self.key.public_key().public_numbers()
        n, e = (_b64(v.to_bytes((v.bit_length() + 7) // 8, "big")) for v in (numbers.n, numbers.e))
        return json.dumps(
            {"keys": [{"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": n, "e": e}]}
        )

    def token(self, issuer: str = ISSUER, lives_s: int = 600, **claims: str) -> str:
        now = int(time.time())
        body = {"iss": issuer, "sub": "user", "iat": now - 10, "exp": now + lives_s, **claims}
        head = _b64(json.dumps({"alg": "RS256", "kid": "k", "typ": "JWT"}).encode())
        signed = f"{head}.{_b64(json.dumps(body).encode())}"
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_b64(signature)}"


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def test_tokens_are_checked(mesh: Mesh, issuer: Issuer) -> None:
    told = [{"header": "x-group", "claim": "group"}]
    rule = {"issuer": ISSUER, "jwks": issuer.jwks(), "outputClaimToHeaders": told}
    authentication = security("RequestAuthentication", "tokens", selector=SELECTOR, jwtRules=[rule])
    required = security(
        "AuthorizationPolicy",
        "tokens",
        selector=SELECTOR,
        rules=[{"from": [{"source": {"requestPrincipals": [f"{ISSUER}/user"]}}]}],
    )

    def bearing(token: str) -> Answer:
        return mesh.call(headers={"authorization": f"Bearer {token}"})

    with mesh.applied(authentication):
        steady(lambda: bearing(issuer.token(lives_s=-300)), 401)
        assert bearing(issuer.token(issuer="https://other.example.com")).status == 401
        assert bearing("nonsense").status == 401
        assert mesh.call().status == 200  # a missing token passes
        good = bearing(issuer.token(group="admins"))
        assert (good.status, good.body["headers"]["x-group"]) == (200, "admins")
    with mesh.applied(authentication, required):
        steady(mesh.call, 403)
        assert bearing(issuer.token()).status == 200


def test_registry_only_blocks_unknown_hosts(mesh: Mesh) -> None:
    closed = networking(
        "Sidecar",
        "closed",
        workloadSelector={"labels": {"app": "client"}},
        egress=[{"hosts": ["./*"]}],
        outboundTrafficPolicy={"mode": "REGISTRY_ONLY"},
    )
    with mesh.applied(closed):
        answer = steady(lambda: mesh.call("http://unknown.example.com:8000/"), 502)
        assert mesh.call().status == 200
        assert answer.text == ""


def test_a_service_entry_makes_an_external_host_known(mesh: Mesh) -> None:
    entry = networking(
        "ServiceEntry",
        "external",
        hosts=["books.example.com"],
        resolution="STATIC",
        location="MESH_EXTERNAL",
        ports=[{"name": "http", "number": 80, "protocol": "HTTP", "targetPort": 8000}],
        endpoints=[{"address": echo_address(mesh)}],
    )
    with mesh.applied(entry):
        answer = steady(lambda: mesh.call("http://books.example.com/"), 200)
        assert answer.version == "v1"


def test_certificates_are_of_the_workloads(mesh: Mesh) -> None:
    with mesh.api as api:
        found = api.get("/mesh/certs").json()["workloads"]
    assert {w["identity"] for w in found if w["instance"].startswith("echo-")} == {
        "spiffe://cluster.local/ns/default/sa/echo"
    }
    assert all(w["valid"] for w in found)


def test_without_tls_when_the_rule_says_so(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(tls={"mode": "DISABLE"})):

        def logged() -> bool:
            found = mesh.entries(mesh.call(), 2)
            return not any(e.get("tls_version") for e in found if e["reporter"] == "destination")

        assert eventually(logged)
