"""Bootstraps are taken by the real Envoy, whatever is asked of them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from proxy.agent.bootstrap import bootstrap
from proxy.agent.settings import Address, AgentSettings, Ports, XdsTls
from proxy.envoy.messages import build
from proxy.xds.node import read_node
from tests.proxy.agent.mesh import agent_settings
from tests.proxy.translate.real_envoy import validate

PORTS = Ports(15000, 15020, 15021)


def self_signed(folder: Path) -> XdsTls:
    """A certificate that is its own root, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    (folder / "cert.pem").write_bytes(made.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return XdsTls(folder / "cert.pem", folder / "cert.pem", folder / "key.pem")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"delta": False},
        {"stats": ("",)},
        {"stats": ("http.inbound", "tcp")},
        {"bind": "0.0.0.0"},
        {"bind": "::1"},
        {"collectors": {"vigla-otlp": Address("127.0.0.1", 4317), "vigla-als": Address("localhost", 4317)}},
        {"locality": "eu/north/rack-1"},
        {
            "metadata": {
                "LABELS": {"app": "wéb"},
                "INBOUND": [{"port": 80, "app_port": 1}],
                "NESTED": {"a": [1]},
            }
        },
    ],
    ids=str,
)
def test_envoy_takes_it(tmp_path: Path, more: dict[str, Any]):
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(bootstrap(agent_settings(tmp_path, 15010, **more), PORTS)))

    assert validate(path) == ""


def test_envoy_takes_it_with_tls_to_the_control_plane(tmp_path: Path):
    path = tmp_path / "envoy.json"
    settings = agent_settings(tmp_path, 15012, xds_tls=self_signed(tmp_path))
    path.write_text(json.dumps(bootstrap(settings, PORTS)))

    assert validate(path) == ""


def test_the_node_is_what_the_control_plane_reads(tmp_path: Path):
    settings = AgentSettings(
        "router~10.0.0.9~edge-1.istio-system~x",
        "edge.istio-system",
        tmp_path,
        Address("h", 1),
        metadata={"LABELS": {"istio": "ingressgateway"}},
        locality="eu/north",
    )
    made: Any = build("envoy.config.bootstrap.v3.Bootstrap", bootstrap(settings, PORTS))
    read = read_node(made.node)
    assert (read.instance, read.cluster, read.locality) == (
        "edge-1.istio-system",
        "edge.istio-system",
        "eu/north",
    )
    assert read.metadata["LABELS"] == {"istio": "ingressgateway"}
