"""The authority that signs workload certificates; its files have the names of Istio's plug-in CA."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from proxy.ca.identity import Identity
from vigla.errors import SettingsError

ROOT_LIFETIME = timedelta(days=3650)
WORKLOAD_LIFETIME = timedelta(hours=24)
CLOCK_SKEW = timedelta(minutes=2)  # workloads whose clock is late accept a new certificate too
KEY_FILE = "key.pem"
"""A workload's; with ``CHAIN`` and ``ROOT`` all that it needs."""
CERT, KEY, CHAIN, ROOT = "ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"

_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700
_SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A workload's certificate.

    Attributes:
        chain: the certificate and those between it and the root (PEM).
        key: its private key (PEM); not shown.
        root: certificates to trust (PEM).
    """

    chain: bytes
    key: bytes = field(repr=False)
    root: bytes
    issued: datetime
    expires: datetime


class Authority:
    """Signs certificates; its methods may run in any thread."""

    def __init__(self, certificate: x509.Certificate, key: _SigningKey, chain: bytes, root: bytes) -> None:
        """Take the parts that ``open_authority`` read.

        Args:
            certificate: of the authority.
            key: its private key.
            chain: certificates between a workload's and the root (PEM); empty where the root signs.
            root: certificates to trust (PEM).
        """
        self.root = root
        self._certificate = certificate
        self._key = key
        self._chain = chain

    @property
    def expires(self) -> datetime:
        """When the authority's own certificate ends."""
        return self._certificate.not_valid_after_utc

    def issue(
        self,
        identity: Identity,
        lifetime: timedelta = WORKLOAD_LIFETIME,
        hosts: Sequence[str] = (),
    ) -> Issued:
        """A new key (ECDSA P-256) and its certificate.

        Args:
            identity: goes into the certificate as URI.
            lifetime: never beyond the authority's own end.
            hosts: DNS names and addresses, for servers that are asked for by name.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        expires = min(now + lifetime, self.expires)
        names = [x509.UniformResourceIdentifier(str(identity)), *map(_host, hosts)]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            _builder(x509.Name([]), self._certificate.subject, key, now, expires)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)  # the subject is empty
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(_authority_id(self._certificate), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        chain = certificate.public_bytes(serialization.Encoding.PEM) + self._chain
        return Issued(chain, _key_pem(key), self.root, now, expires)


def open_authority(folder: Path, *, organization: str = "cluster.local") -> Authority:
    """The authority whose files are in this folder; a self-signed one is made where there are none.

    Args:
        folder: with ``ca-cert.pem``, ``ca-key.pem`` and, for a CA below another one, ``cert-chain.pem`` and
            ``root-cert.pem``.
        organization: name in a certificate made here, usually the trust domain.

    Raises:
        SettingsError: files are missing, do not fit each other, or the certificate has expired.
    """
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    if not (folder / CERT).exists() and not (folder / KEY).exists():
        _create(folder, organization)
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERT).read_bytes())
        key = serialization.load_pem_private_key((folder / KEY).read_bytes(), password=None)
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}; a CA needs {CERT} and {KEY}") from error
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{folder}: {CERT} or {KEY} is no PEM without password: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SettingsError(f"{folder / KEY}: give an ECDSA or RSA key")
    if key.public_key() != certificate.public_key():
        raise SettingsError(f"{folder}: {KEY} is not the key of {CERT}")
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise SettingsError(f"{folder / CERT}: expired at {certificate.not_valid_after_utc}; give a new one")
    own = certificate.public_bytes(serialization.Encoding.PEM)
    root = _optional(folder / ROOT) or own
    chain = _optional(folder / CHAIN) or (b"" if certificate.issuer == certificate.subject else own)
    return Authority(certificate, key, chain, root)


def write_identity(issued: Issued, folder: Path) -> None:
    """Put a certificate, its key and what to trust into a folder, under the names that Istio's agent reads.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    for name, content in ((KEY_FILE, issued.key), (ROOT, issued.root), (CHAIN, issued.chain)):
        _write_private(folder / name, content)


def _create(folder: Path, organization: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
    certificate = (
        _builder(name, name, key, now, now + ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    own = certificate.public_bytes(serialization.Encoding.PEM)
    for file, content in ((KEY, _key_pem(key)), (ROOT, own), (CERT, own)):
        _write_private(folder / file, content)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, expires: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(expires)
    )


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        own = x509.SubjectKeyIdentifier.from_public_key(issuer.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _host(value: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(value))
    except ValueError:
        return x509.DNSName(value)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _optional(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _write_private(path: Path, content: bytes) -> None:
    """Write whole or not at all, never readable by others."""
    made = path.with_suffix(".new")
    made.unlink(missing_ok=True)
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    made.replace(path)
