"""What is outside the mesh, and what a Sidecar lets a workload see."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.mesh.external import HOST, Authority, outside
from tests.e2e.mesh.mesh import Answer, Mesh, eventually, request
from tests.e2e.mesh.objects import (
    destination_rule,
    entry,
    mesh_config,
    networking,
    secret,
    to,
    virtual_service,
)

OUT = "books.example.com"


def steady(mesh: Mesh, url: str, status: int, version: str = "") -> Answer:
    """The answer once it has this status and version."""

    def found() -> Answer:
        answer = mesh.call(url)
        assert (answer.status, answer.version) == (status, version), answer.text
        return answer

    return eventually(found)


RESOLUTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "NONE": ("localhost", {"resolution": "NONE"}),
    "STATIC": (OUT, {"resolution": "STATIC", "endpoints": [{"address": HOST}]}),
    "DNS": (OUT, {"resolution": "DNS", "endpoints": [{"address": "localhost"}]}),
    "DNS of the host": ("localhost", {"resolution": "DNS"}),
    "DNS_ROUND_ROBIN": (OUT, {"resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "localhost"}]}),
    "DYNAMIC_DNS": ("*.localhost", {"resolution": "DYNAMIC_DNS"}),
}


@pytest.mark.parametrize("name", RESOLUTIONS)
def test_a_host_outside_by_every_resolution(mesh: Mesh, name: str) -> None:
    host, spec = RESOLUTIONS[name]
    closed = networking(
        "Sidecar", "closed", egress=[{"hosts": ["./*"]}], outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}
    )
    with outside() as server, mesh.applied(closed):
        called = f"http://{host.replace('*', 'any')}:{server.port}/"
        steady(mesh, called, 502)
        with mesh.applied(entry(host, server.port, **spec)):
            answer = steady(mesh, called, 200, "outside")
            assert not [h for h in answer.body["headers"] if "mesh" in h or "peer" in h]


def test_an_unknown_host_is_let_through_and_told_nothing(mesh: Mesh) -> None:
    with outside() as server:
        answer = steady(mesh, f"http://localhost:{server.port}/", 200, "outside")
        assert not [h for h in answer.body["headers"] if "mesh" in h or "peer" in h]


def test_workload_entries_are_endpoints(mesh: Mesh) -> None:
    with outside("one") as one, outside("two") as two:
        entries = [
            networking(
                "WorkloadEntry", name, address=HOST, labels={"app": "books"}, ports={"http": server.port}
            )
            for name, server in (("one", one), ("two", two))
        ]
        service = entry(OUT, 80, resolution="STATIC", workloadSelector={"labels": {"app": "books"}})
        with mesh.applied(service, *entries):
            assert eventually(
                lambda: {mesh.call(f"http://{OUT}/").version for _ in range(8)} == {"one", "two"}
            )


TLS_MODES = ("simple by file", "simple by secret", "mutual by file", "mutual by secret")


@pytest.mark.parametrize("name", TLS_MODES)
def test_tls_is_begun_for_the_application(mesh: Mesh, tmp_path: Path, name: str) -> None:
    authority = Authority(tmp_path)
    server, user = authority.issue(OUT), authority.issue("vigla-user")
    mutual, by_file = name.startswith("mutual"), name.endswith("file")
    tls: dict[str, Any] = {"mode": "MUTUAL" if mutual else "SIMPLE", "sni": OUT, "subjectAltNames": [OUT]}
    if by_file:
        tls |= {"caCertificates": str(authority.file)}
        tls |= {"clientCertificate": str(user.certificate), "privateKey": str(user.key)} if mutual else {}
    else:
        tls |= {"credentialName": "outside"}
    files = {"ca_crt": authority.file.read_bytes()}
    if mutual:
        files |= {"tls_crt": user.certificate.read_bytes(), "tls_key": user.key.read_bytes()}
    rule = networking(
        "DestinationRule",
        "books",
        host=OUT,
        workloadSelector={"matchLabels": {"app": "client"}},
        trafficPolicy={"tls": tls},
    )
    with outside("tls", server, authority.file if mutual else None) as books:
        known = entry(OUT, 80, resolution="STATIC", endpoints=[{"address": HOST}], target=books.port)
        with mesh.applied(known, rule, secret("outside", "default", **files)):
            answer = steady(mesh, f"http://{OUT}/", 200, "tls")
            assert answer.body["client"] == ("vigla-user" if mutual else "")


def test_a_server_of_another_authority_is_not_called(mesh: Mesh, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    tls = {"mode": "SIMPLE", "caCertificates": str(other.file), "sni": OUT}
    with outside("tls", authority.issue(OUT)) as books:
        known = entry(OUT, 80, resolution="STATIC", endpoints=[{"address": HOST}], target=books.port)
        rule = networking("DestinationRule", "books", host=OUT, trafficPolicy={"tls": tls})
        with mesh.applied(known, rule):

            def distrusted() -> bool:
                answer = mesh.call(f"http://{OUT}/")
                assert answer.status == 503, answer.text
                return "CERTIFICATE_VERIFY_FAILED" in str(mesh.entries(answer))

            assert eventually(distrusted)
            assert not books.seen


def test_tls_of_the_application_is_routed_by_server_name(mesh: Mesh, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        outside("one", authority.issue("one.test")) as one,
        outside("two", authority.issue("two.test")) as two,
    ):
        port = 19443
        entries = [
            entry(
                host,
                port,
                "TLS",
                resolution="STATIC",
                endpoints=[{"address": HOST}],
                target=server.port,
            )
            for host, server in (("one.test", one), ("two.test", two))
        ]
        crossed = networking(
            "VirtualService",
            "crossed",
            hosts=["one.test"],
            tls=[
                {
                    "match": [{"port": port, "sniHosts": ["one.test"]}],
                    "route": [{"destination": {"host": "two.test", "port": {"number": port}}}],
                }
            ],
        )

        def version(name: str) -> str:
            context = ssl.create_default_context(cafile=str(authority.file))
            context.check_hostname = False
            where = mesh.environment["MESH_ADDRESS"]
            return request(where, port, "/", {"host": name}, tls=(context, name)).version

        with mesh.applied(*entries):
            assert eventually(lambda: (version("one.test"), version("two.test")) == ("one", "two"))
            with mesh.applied(crossed):
                assert eventually(lambda: version("one.test") == "two")


def test_a_sidecar_restricts_what_is_seen(mesh: Mesh) -> None:
    narrow = networking(
        "Sidecar",
        "narrow",
        workloadSelector={"labels": {"app": "client"}},
        egress=[{"hosts": ["./tcp.default.svc.cluster.local"]}],
        outboundTrafficPolicy={"mode": "REGISTRY_ONLY"},
    )
    with mesh.applied(narrow):
        answer = steady(mesh, "http://echo:8000/", 502)
        assert mesh.line(9000) in ("v1", "v2")
        [logged] = mesh.entries(answer)
        assert logged["route"] == "block_all"
        assert eventually(lambda: _blackholed(mesh))


def _blackholed(mesh: Mesh) -> bool:
    text = request(mesh.proxy("client-v1")["address"], 15020, "/stats/prometheus").text
    return any("BlackHoleCluster" in line for line in text.splitlines() if "istio_requests_total" in line)


def test_a_sidecar_serves_another_port_for_its_workload(mesh: Mesh) -> None:
    port = 8001
    application = mesh.environment["PORT"]
    ingress = {
        "port": {"number": port, "protocol": "HTTP", "name": "http"},
        "defaultEndpoint": f"127.0.0.1:{application}",
    }
    sidecar = networking(
        "Sidecar",
        "another",
        workloadSelector={"labels": {"app": "client"}},
        ingress=[ingress],
        egress=[{"hosts": ["*/*"]}],
    )
    with mesh.applied(sidecar):
        where = mesh.proxy("client-v1")["address"]
        assert eventually(lambda: request(where, port, "/").status == 200)


def test_a_policy_of_the_mesh_closes_all_sidecars(mesh: Mesh) -> None:
    with outside() as server:
        url = f"http://localhost:{server.port}/"
        steady(mesh, url, 200, "outside")
        with mesh.applied(mesh_config(outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})):
            steady(mesh, url, 502)


def test_plain_http_is_what_disable_sends(mesh: Mesh) -> None:
    with mesh.applied(destination_rule(tls={"mode": "DISABLE"}), virtual_service({"route": [to("v1")]})):

        def told() -> list[dict[str, Any]]:
            answer = mesh.call()
            logs = [e for e in mesh.entries(answer, 2) if e["reporter"] == "destination"]
            return [e for e in logs if not e.get("tls_version")]

        [logged] = eventually(told)
        assert logged["source_workload"] in ("", "unknown")  # who calls without a certificate may be anybody
