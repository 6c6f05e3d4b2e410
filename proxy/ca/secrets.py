"""Secrets by SDS: each workload's own certificate, what it trusts, and certificates from Secret objects."""

import asyncio
import base64
import binascii
import logging
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from proxy.api.kubernetes import Secret
from proxy.ca.authority import WORKLOAD_LIFETIME, Authority, Issued
from proxy.ca.files import file_secrets
from proxy.ca.identity import Identity
from proxy.config.collection import Collection
from proxy.xds.node import Node
from proxy.xds.resources import SDS, Resource, resource
from vigla.errors import BadInput

OWN, TRUSTED, KUBERNETES, CA_SUFFIX = "default", "ROOTCA", "kubernetes://", "-cacert"
_CERT_KEYS = (("tls.crt", "tls.key"), ("cert", "key"))
_CA_KEYS = ("ca.crt", "cacert")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    identity: Identity
    issued: Issued = field(repr=False)
    renew: datetime


class SecretSource:
    """Makes the secrets of proxies and renews certificates at half of their life.

    ``resources`` runs in the generating thread, ``run`` in the event loop.
    """

    def __init__(
        self,
        authority: Authority,
        trust_domain: str = "cluster.local",
        *,
        config: Callable[[], Collection] | None = None,
        lifetime: timedelta = WORKLOAD_LIFETIME,
        jitter: float = 0.01,
    ) -> None:
        """Prepare.

        Args:
            authority: signs the certificates.
            trust_domain: of the identities.
            config: gives the objects, among them Secrets.
            lifetime: of workload certificates.
            jitter: share of the lifetime by which renewals spread around its half.
        """
        self._authority = authority
        self._trust_domain = trust_domain
        self._config = config or Collection
        self._lifetime = lifetime
        self._jitter = jitter
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def resources(self, node: Node) -> dict[str, Resource]:
        """All secrets that this proxy may ask for, by SDS name; those of Secrets from its own namespace."""
        identity = Identity(self._trust_domain, node.namespace, node.service_account)
        issued = self._certificate(node.instance, identity)
        made = [_key_pair(OWN, issued.chain, issued.key), _trust(TRUSTED, issued.root)]
        config = self._config()
        made += file_secrets(config)
        for found in config.all(Secret):
            if found.namespace == node.namespace:
                made += _from_secret(found.name, found.namespace, found.spec)
        return {r.name: r for r in made}

    def _certificate(self, instance: str, identity: Identity) -> Issued:
        now = datetime.now(UTC)
        with self._lock:
            held = self._held.get(instance)
            if held is None or held.identity != identity or held.renew <= now:
                issued = self._authority.issue(identity, self._lifetime)
                share = 0.5 + random.uniform(-self._jitter, self._jitter)  # noqa: S311  spreads load only
                held = _Held(identity, issued, now + (issued.expires - now) * share)
                self._held[instance] = held
            return held.issued

    def held(self) -> tuple[tuple[str, Identity, datetime, datetime], ...]:
        """Instance, identity, end of validity and time of renewal of every certificate in use."""
        with self._lock:
            return tuple((i, h.identity, h.issued.expires, h.renew) for i, h in sorted(self._held.items()))

    async def run(self, changed: Callable[[Iterable[str]], None], poll_s: float = 1.0) -> None:
        """Renew until cancelled.

        Args:
            changed: told the instances whose certificates are due: ``ControlPlane.secrets_changed``.
            poll_s: seconds between looks at the clock; the wall clock may jump.
        """
        while True:
            await asyncio.sleep(poll_s)
            if due := self.take_due(datetime.now(UTC)):
                changed(due)

    def take_due(self, now: datetime) -> list[str]:
        """Forget the certificates that are due; who is still connected gets new ones by ``resources``."""
        with self._lock:
            due = [instance for instance, held in self._held.items() if held.renew <= now]
            for instance in due:
                del self._held[instance]
        return due


def _from_secret(name: str, namespace: str, secret: Secret) -> Iterator[Resource]:
    """Resources of a Secret, under its plain name and with its namespace."""
    data = {
        **secret.data,
        **{k: base64.b64encode(v.encode()).decode() for k, v in secret.string_data.items()},
    }
    try:
        pem = {k: base64.b64decode(v, validate=True) for k, v in data.items()}
        for prefix in (KUBERNETES, f"{KUBERNETES}{namespace}/"):
            yield from _pem_resources(prefix + name, pem)
    except (ValueError, TypeError, binascii.Error, BadInput) as error:
        logger.warning("Secret %s/%s is not served: %s", namespace, name, error)


def _pem_resources(name: str, pem: dict[str, bytes]) -> Iterator[Resource]:
    for cert, key in _CERT_KEYS:
        if cert in pem and key in pem:
            _check_pair(pem[cert], pem[key])
            yield _key_pair(name, pem[cert], pem[key])
            break
    for key in _CA_KEYS:
        if key in pem:
            x509.load_pem_x509_certificates(pem[key])
            yield _trust(name if name.endswith(CA_SUFFIX) else name + CA_SUFFIX, pem[key])
            break


def _check_pair(chain: bytes, key: bytes) -> None:
    """Envoy refuses the whole update where one pair is wrong.

    Raises:
        BadInput: the key is not the certificate's.
    """
    certificate = x509.load_pem_x509_certificates(chain)[0]
    private = serialization.load_pem_private_key(key, password=None)
    if private.public_key() != certificate.public_key():
        raise BadInput("its key is not the key of its certificate: give a pair")


def _key_pair(name: str, chain: bytes, key: bytes) -> Resource:
    pair = {"certificate_chain": _inline(chain), "private_key": _inline(key)}
    return resource(SDS, {"name": name, "tls_certificate": pair})


def _trust(name: str, root: bytes) -> Resource:
    return resource(SDS, {"name": name, "validation_context": {"trusted_ca": _inline(root)}})


def _inline(content: bytes) -> dict[str, str]:
    return {"inline_bytes": base64.b64encode(content).decode()}
