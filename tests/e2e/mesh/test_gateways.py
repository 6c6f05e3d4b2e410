"""The edge of the mesh: TLS at the ingress gateway, and the egress gateway as the only way out."""

import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.mesh.external import HOST, Authority, Pair, outside
from tests.e2e.mesh.mesh import Answer, Mesh, eventually, request
from tests.e2e.mesh.objects import entry, gateway, networking, secret, to, virtual_service

NAME = "echo.example.com"
OUT = "books.example.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue(NAME)


@pytest.fixture
def inside(pair: Pair, authority: Authority) -> str:
    """The Secret of the gateway, with the authority of clients."""
    return secret(
        "cert",
        tls_crt=pair.certificate.read_bytes(),
        tls_key=pair.key.read_bytes(),
        ca_crt=authority.file.read_bytes(),
    )


@pytest.fixture
def routed() -> str:
    return virtual_service({"route": [to()]}, host=NAME, gateways=["gate"])


def enter(mesh: Mesh, context: ssl.SSLContext, name: str = NAME) -> Answer:
    return request(HOST, mesh.secure, "/in", {"host": name}, tls=(context, name))


def refused(mesh: Mesh, context: ssl.SSLContext) -> bool:
    try:
        enter(mesh, context)
    except (OSError, http.client.HTTPException):
        return True
    return False


def test_simple_tls_with_a_secret_and_redirect_from_http(
    mesh: Mesh, authority: Authority, inside: str, routed: str
) -> None:
    tls = {"mode": "SIMPLE", "credentialName": "cert"}
    https = {
        "port": {"number": mesh.secure, "name": "https", "protocol": "HTTPS"},
        "hosts": [NAME],
        "tls": tls,
    }
    http_ = {
        "port": {"number": mesh.ingress, "name": "http", "protocol": "HTTP"},
        "hosts": [NAME],
        "tls": {"httpsRedirect": True},
    }
    gate = networking("Gateway", "gate", selector={"istio": "ingressgateway"}, servers=[https, http_])
    with mesh.applied(inside, gate, routed):
        answer = eventually(lambda: enter(mesh, authority.client()))
        assert (answer.status, answer.body["headers"]["x-forwarded-proto"]) == (200, "https")
        moved = eventually(lambda: mesh.enter("/in"))
        assert (moved.status, moved.headers["location"]) == (301, f"https://{NAME}/in")


def test_mutual_tls_asks_for_a_certificate_of_the_authority(
    mesh: Mesh, authority: Authority, inside: str, routed: str, tmp_path: Path
) -> None:
    tls = {"mode": "MUTUAL", "credentialName": "cert"}
    known, stranger = authority.issue("user"), Authority(tmp_path, "other").issue("stranger")
    with mesh.applied(inside, gateway("gate", mesh.secure, "HTTPS", hosts=[NAME], tls=tls), routed):
        assert eventually(lambda: enter(mesh, authority.client(known)).status == 200)
        assert refused(mesh, authority.client())
        assert refused(mesh, authority.client(stranger))


def test_a_changed_secret_is_used_without_a_restart(
    mesh: Mesh, authority: Authority, inside: str, routed: str, tmp_path: Path
) -> None:
    tls = {"mode": "SIMPLE", "credentialName": "cert"}
    other = Authority(tmp_path, "other")
    fresh = other.issue(NAME)
    renewed = secret("cert", tls_crt=fresh.certificate.read_bytes(), tls_key=fresh.key.read_bytes())
    with mesh.applied(inside, gateway("gate", mesh.secure, "HTTPS", hosts=[NAME], tls=tls), routed):
        assert eventually(lambda: enter(mesh, authority.client()).status == 200)
        with mesh.applied(renewed):
            assert eventually(lambda: enter(mesh, other.client()).status == 200)


def test_passthrough_goes_by_server_name_and_leaves_tls_alone(mesh: Mesh, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    hosts = ("one.example.com", "two.example.com")
    with (
        outside("one", authority.issue(hosts[0])) as one,
        outside("two", authority.issue(hosts[1])) as two,
    ):
        entries = [
            entry(host, server.port, "TLS", resolution="STATIC", endpoints=[{"address": HOST}])
            for host, server in zip(hosts, (one, two), strict=True)
        ]
        ways = [
            {
                "match": [{"sniHosts": [host]}],
                "route": [{"destination": {"host": host, "port": {"number": server.port}}}],
            }
            for host, server in zip(hosts, (one, two), strict=True)
        ]
        gate = gateway("gate", mesh.secure, "TLS", hosts=list(hosts), tls={"mode": "PASSTHROUGH"})
        routed = networking("VirtualService", "sni", hosts=list(hosts), gateways=["gate"], tls=ways)
        with mesh.applied(*entries, gate, routed):
            for host in hosts:
                answer = eventually(lambda host=host: enter(mesh, authority.client(), host))  # type: ignore[misc]
                assert answer.version == host.partition(".")[0]
            assert refused(mesh, authority.client())  # no such server name


def test_tcp_through_the_gateway(mesh: Mesh) -> None:
    way = {"match": [{"port": mesh.ingress}], "route": [to("", 0, "tcp")]}
    routed = networking("VirtualService", "lines", hosts=["*"], gateways=["gate"], tcp=[way])
    with mesh.applied(gateway("gate", mesh.ingress, "TCP"), routed):
        assert eventually(lambda: mesh.line(mesh.ingress, HOST) in ("v1", "v2"))


@pytest.fixture
def out() -> Iterator[tuple[str, str]]:
    """A service outside, known to the egress gateway alone, and a client that may call known hosts only."""
    with outside() as server:
        known = networking(
            "ServiceEntry",
            "books",
            "istio-system",
            hosts=[OUT],
            exportTo=["."],
            location="MESH_EXTERNAL",
            resolution="STATIC",
            ports=[{"name": "http", "number": 80, "protocol": "HTTP", "targetPort": server.port}],
            endpoints=[{"address": HOST}],
        )
        closed = networking(
            "Sidecar", "closed", egress=[{"hosts": ["*/*"]}], outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}
        )
        yield known, closed


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "mutual"])
def test_out_through_the_egress_gateway_only(mesh: Mesh, out: tuple[str, str], secured: bool) -> None:  # noqa: FBT001
    door = "egress.istio-system.svc.cluster.local"
    server = {"tls": {"mode": "ISTIO_MUTUAL"}} if secured else {}
    gate = networking(
        "Gateway",
        "out",
        "istio-system",
        selector={"istio": "egressgateway"},
        servers=[
            {
                "port": {
                    "number": mesh.egress,
                    "name": "way",
                    "protocol": "HTTPS" if secured else "HTTP",
                },
                "hosts": [OUT],
                **server,
            }
        ],
    )
    to_gateway = {"destination": {"host": door, "port": {"number": mesh.egress}}}
    to_books = {"destination": {"host": OUT, "port": {"number": 80}}}
    first = networking("VirtualService", "way-out", hosts=[OUT], http=[{"route": [to_gateway]}])
    second = networking(
        "VirtualService",
        "outside",
        "istio-system",
        hosts=[OUT],
        gateways=["out"],
        http=[{"route": [to_books]}],
    )
    tls = {"mode": "ISTIO_MUTUAL", "sni": OUT}
    rule = networking("DestinationRule", "door", host=door, trafficPolicy={"tls": tls})
    with mesh.applied(*out):
        assert eventually(lambda: mesh.call(f"http://{OUT}/").status == 502)
        with mesh.applied(gate, first, second, *([rule] if secured else [])):

            def through() -> Answer:
                answer = mesh.call(f"http://{OUT}/")
                assert answer.status == 200, answer.text
                return answer

            answer = eventually(through)
            assert {e["source_workload"] for e in mesh.entries(answer, 2)} >= {"client-v1", "egress"}
            assert not [name for name in answer.body["headers"] if "mesh" in name or "peer" in name]
