"""Secrets that proxies get: their own certificate, what they trust, and certificates from Secret objects."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from proxy.ca.authority import Authority, open_authority
from proxy.ca.identity import Identity, identities_of
from proxy.ca.secrets import SecretSource
from proxy.config.collection import Collection
from proxy.config.parse import parse
from proxy.envoy.messages import message_class, to_json
from proxy.xds.node import parse_node
from proxy.xds.resources import Resource

NODE = parse_node("sidecar~10.0.0.1~web-0.shop~shop.svc.cluster.local", metadata={"SERVICE_ACCOUNT": "web"})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path)


def chain(found: Resource) -> bytes:
    wrapped = message_class("google.protobuf.Any").FromString(found.body)
    secret = message_class("envoy.extensions.transport_sockets.tls.v3.Secret").FromString(wrapped.value)
    return base64.b64decode(to_json(secret)["tls_certificate"]["certificate_chain"]["inline_bytes"])


def serial(found: Resource) -> int:
    return x509.load_pem_x509_certificates(chain(found))[0].serial_number


def test_a_proxy_gets_its_own_certificate_and_the_root(authority: Authority) -> None:
    found = SecretSource(authority).resources(NODE)
    assert sorted(found) == ["ROOTCA", "default"]
    assert identities_of(chain(found["default"])) == (Identity("cluster.local", "shop", "web"),)


def test_a_certificate_stays_until_half_of_its_life_is_over(authority: Authority) -> None:
    source = SecretSource(authority, lifetime=timedelta(hours=2))
    first = serial(source.resources(NODE)["default"])
    assert serial(source.resources(NODE)["default"]) == first
    assert source.take_due(datetime.now(UTC) + timedelta(minutes=55)) == []
    assert source.take_due(datetime.now(UTC) + timedelta(minutes=65)) == ["web-0.shop"]
    assert serial(source.resources(NODE)["default"]) != first


def secret(name: str, certificate: bytes, key: bytes, namespace: str = "shop") -> str:
    data = {"tls.crt": certificate, "tls.key": key, "ca.crt": certificate}
    lines = "".join(f"  {k}: {base64.b64encode(v).decode()}\n" for k, v in data.items())
    head = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    return f"{head}data:\n{lines}---\n"


def test_secrets_of_its_namespace_are_served_and_wrong_ones_are_not(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = (authority.issue(Identity("cluster.local", "shop", name)) for name in ("a", "b"))
    text = secret("good", one.chain, one.key) + secret("wrong", one.chain, other.key)
    text += secret("far", one.chain, one.key, "elsewhere") + secret("none", b"x", b"y")
    objects = Collection.of(parse(text).objects)
    found = SecretSource(authority, config=lambda: objects).resources(NODE)
    assert {n for n in found if n.startswith("kubernetes://")} == {
        f"kubernetes://{prefix}good{suffix}" for prefix in ("", "shop/") for suffix in ("", "-cacert")
    }
    assert "Secret shop/wrong is not served: its key is not the key of its certificate" in caplog.text
    assert "Secret shop/none is not served" in caplog.text
