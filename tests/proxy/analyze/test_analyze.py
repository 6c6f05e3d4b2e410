"""Each code is told where it belongs, and not of a configuration that is nearly the same."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from proxy.analyze.analyzers import ANALYZERS, SUPPRESS, analyze
from proxy.analyze.kiali.checks import CHECKERS
from proxy.analyze.messages import TEMPLATES
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from tests.proxy.analyze import edge_cases, route_cases, workload_cases
from tests.proxy.analyze.documents import GATEWAY_POD, TLS, Case, analyzed, gateway, join

CASES = (*route_cases.CASES, *workload_cases.CASES, *edge_cases.CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    found = analyzed(case.text, [case.analyzer], case.mesh)
    assert sorted((m.code, str(m.key), m.path) for m in found) == sorted(case.found)
    assert all(m.line for m in found)


def test_each_code_has_a_case() -> None:
    assert {code for case in CASES for code, _, _ in case.found} == {t.code for t in TEMPLATES.values()}


def test_each_analyzer_is_quiet_in_some_case() -> None:
    quiet = {case.analyzer for case in CASES if not case.found}
    istio = ANALYZERS.keys() - CHECKERS.keys()
    assert {name for name in istio if not name.startswith("schema.")} <= quiet


def test_all_analyzers_run_and_tell_a_finding_once() -> None:
    assert [(m.code, m.path) for m in analyzed(gateway(TLS.format("a.com", "c")))] == [
        ("IST0101", "spec.selector")
    ]


def test_a_message_names_its_place() -> None:
    text = "kind: DestinationRule\nmetadata: {name: it}\nspec:\n  host: a.com\n"
    (message,) = analyzed(text, ["destinationrule.PodNotSelectedAnalyzer"])
    assert (message.name, message.level, message.line) == ("UnknownDestinationRuleHost", "Warning", 5)
    assert message.file == "it.yaml"
    assert message.text == "The host a.com is no service of the mesh"


@pytest.mark.parametrize(("codes", "told"), [("IST0101, IST0174", 0), ("*", 0), ("IST0101", 1)])
def test_an_annotation_suppresses_codes(codes: str, told: int) -> None:
    meta = f"{{name: it, annotations: {{{SUPPRESS}: {codes!r}}}}}"
    text = f"kind: DestinationRule\nmetadata: {meta}\nspec: {{host: a.com}}"
    assert len(analyzed(text, ["destinationrule.PodNotSelectedAnalyzer"])) == told


def test_an_unknown_analyzer_is_an_error() -> None:
    with pytest.raises(KeyError, match="nope"):
        analyze(Collection(), MeshConfig(), ["nope"])


@pytest.mark.parametrize(("days", "codes"), [(1, []), (-1, ["IST0161"])])
def test_certificates_expire(days: int, codes: list[str]) -> None:
    key, end = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) + timedelta(days=days)
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=7))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    crt = base64.b64encode(certificate.public_bytes(serialization.Encoding.PEM)).decode()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    secret = (
        f"kind: Secret\nmetadata: {{name: c}}\ndata:\n  cert: {crt}\n  key: {base64.b64encode(pem).decode()}"
    )
    text = join(GATEWAY_POD, secret, gateway(TLS.format("a.com", "c")))
    assert [m.code for m in analyzed(text, ["gateway.SecretAnalyzer"])] == codes
