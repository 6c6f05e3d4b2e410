"""The authority: its own files, and the certificates that it signs."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from proxy.ca.authority import Authority, open_authority, write_identity
from proxy.ca.identity import Identity, identities_of
from vigla.errors import SettingsError

WEB = Identity("cluster.local", "shop", "web")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path / "ca")


def leaf(chain: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain)[0]


def test_files_are_for_the_owner_only(authority: Authority, tmp_path: Path) -> None:
    assert authority.root
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "ca").iterdir()}
    assert found == {"ca-cert.pem": 0o600, "ca-key.pem": 0o600, "root-cert.pem": 0o600}
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700


def test_the_root_stays_over_restarts(authority: Authority, tmp_path: Path) -> None:
    assert open_authority(tmp_path / "ca").root == authority.root


def test_a_workload_certificate(authority: Authority) -> None:
    issued = authority.issue(WEB, timedelta(hours=24))
    made = leaf(issued.chain)
    assert identities_of(issued.chain) == (WEB,)
    key = made.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert serialization.load_pem_private_key(issued.key, None).public_key() == key
    assert made.not_valid_after_utc - datetime.now(UTC) == pytest.approx(
        timedelta(hours=24), abs=timedelta(minutes=1)
    )
    assert made.not_valid_before_utc < datetime.now(UTC)
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert authority.issue(WEB).key != issued.key


def test_clients_of_the_mesh_can_verify_a_server(authority: Authority) -> None:
    issued = authority.issue(WEB, hosts=("pilot.example.com", "10.0.0.1"))
    store = Store(x509.load_pem_x509_certificates(issued.root))
    verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName("pilot.example.com"))
    assert verifier.verify(leaf(issued.chain), [])[-1] == x509.load_pem_x509_certificate(authority.root)


def test_no_certificate_outlives_the_authority(authority: Authority) -> None:
    assert authority.issue(WEB, timedelta(days=10_000)).expires == authority.expires


def intermediate(root: Authority, folder: Path) -> None:
    """A CA below another one, in the files of Istio's plug-in CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    above = x509.load_pem_x509_certificate(root.root)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "below")]))
        .issuer_name(above.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(root._key, above.signature_hash_algorithm)
    )
    own = certificate.public_bytes(serialization.Encoding.PEM)
    folder.mkdir()
    (folder / "ca-cert.pem").write_bytes(own)
    (folder / "ca-key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / "cert-chain.pem").write_bytes(own)
    (folder / "root-cert.pem").write_bytes(root.root)


def test_a_given_authority_below_a_root(authority: Authority, tmp_path: Path) -> None:
    intermediate(authority, tmp_path / "below")
    issued = open_authority(tmp_path / "below").issue(WEB, hosts=("web.example.com",))
    assert issued.root == authority.root
    first, *others = x509.load_pem_x509_certificates(issued.chain)
    store = Store(x509.load_pem_x509_certificates(issued.root))
    verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName("web.example.com"))
    assert len(verifier.verify(first, others)) == 3


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("ca-key.pem", None, "ca-key.pem"),
        ("ca-cert.pem", b"nothing", "no PEM"),
        ("ca-key.pem", b"nothing", "no PEM"),
    ],
)
def test_files_that_are_no_authority(
    authority: Authority, tmp_path: Path, file: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / "ca" / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        open_authority(tmp_path / "ca")
    assert authority.root  # another one's files do not touch this one


def test_a_key_of_another_certificate(authority: Authority, tmp_path: Path) -> None:
    assert authority.root
    open_authority(tmp_path / "other")
    (tmp_path / "ca" / "ca-key.pem").write_bytes((tmp_path / "other" / "ca-key.pem").read_bytes())
    with pytest.raises(SettingsError, match="is not the key of"):
        open_authority(tmp_path / "ca")


def test_the_files_of_a_workload(authority: Authority, tmp_path: Path) -> None:
    write_identity(authority.issue(WEB), tmp_path / "web")
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "web").iterdir()}
    assert found == {"key.pem": 0o600, "cert-chain.pem": 0o600, "root-cert.pem": 0o600}
    assert identities_of((tmp_path / "web" / "cert-chain.pem").read_bytes()) == (WEB,)
