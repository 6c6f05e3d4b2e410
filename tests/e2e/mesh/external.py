"""Servers outside the mesh, with certificates of an authority of their own."""

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """A CA that writes what it issues into a folder."""

    def __init__(self, folder: Path, name: str = "test") -> None:
        self._folder, self._name = folder, _named(f"{name} root")
        self._key = ec.generate_private_key(ec.SECP256R1())
        basic = x509.BasicConstraints(ca=True, path_length=None)
        made = self._unsigned(self._name, self._key.public_key()).add_extension(basic, critical=True)
        self.file = folder / f"{name}-root.pem"
        signed = made.sign(self._key, hashes.SHA256())
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str) -> Pair:
        """A certificate for a host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address(HOST))]
        made = self._unsigned(_named(host), key.public_key())
        signed = made.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(
            self._key, hashes.SHA256()
        )
        pair = Pair(self._folder / f"{host}.crt", self._folder / f"{host}.key")
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return pair

    def client(self, pair: Pair | None = None) -> ssl.SSLContext:
        """What a client that trusts this authority connects with."""
        context = ssl.create_default_context(cafile=str(self.file))
        if pair:
            context.load_cert_chain(pair.certificate, pair.key)
        return context

    def _unsigned(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(slots=True)
class Outside:
    """A server that tells what it was asked and keeps it.

    Attributes:
        port: on 127.0.0.1.
        seen: of each request ``path``, ``headers`` and, over TLS, the name in the ``client`` certificate.
    """

    port: int
    seen: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def outside(
    name: str = "outside",
    pair: Pair | None = None,
    clients: Path | None = None,
    text: str = "",
    allows: Callable[[dict[str, str]], bool] = bool,
) -> Iterator[Outside]:
    """An HTTP server; with ``pair`` over TLS, with ``clients`` only for certificates of this authority.

    Args:
        name: told as ``x-version`` in the answers.
        pair: its certificate.
        clients: file of the authority of client certificates.
        text: its answer; empty: what it was asked, as JSON.
        allows: whether a request with these headers is answered 200, else 403.
    """
    made = Outside(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            told = {"path": self.path, "headers": headers, "client": _client(self.connection)}
            made.seen.append(told)
            content = (text or json.dumps(told)).encode()
            self.send_response(200 if allows(headers) else 403)
            self.send_header("content-length", str(len(content)))
            self.send_header("x-version", name)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _client(connection: object) -> str:
    if not isinstance(connection, ssl.SSLSocket):
        return ""
    subject: Any = (connection.getpeercert() or {}).get("subject", ())
    return next((value for part in subject for key, value in part if key == "commonName"), "")
