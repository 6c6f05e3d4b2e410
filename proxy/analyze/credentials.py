"""Certificates that Gateways name: whether they are there and valid, and who shares one."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from proxy.analyze.context import Context, selects, shown
from proxy.analyze.messages import Message, message
from proxy.api.gateway import Gateway, ServerTLSSettings
from proxy.api.kubernetes import Secret
from proxy.config.objects import ConfigObject

_PAIRS = (("tls.crt", "tls.key"), ("cert", "key"))


def secrets(context: Context) -> Iterator[Message]:
    """Credentials that are absent where the gateway's pods run, or no valid pair."""
    for o in context.objects.all(Gateway):
        named = [
            (index, credential)
            for index, server in enumerate(o.spec.servers)
            for credential in (_credentials(server.tls) if server.tls else ())
        ]
        namespaces = sorted({pod.namespace for pod in context.selected(o.spec.selector)})
        if named and not namespaces:
            path = ("spec", "selector")
            yield message("ReferencedResourceNotFound", o, path, "selector", shown(o.spec.selector))
        for index, credential in named if namespaces else ():
            where = ("spec", "servers", index, "tls", "credentialName")
            found = [context.objects.get(Secret, namespace, credential) for namespace in namespaces]
            if None in found:
                yield message("ReferencedResourceNotFound", o, where, "credentialName", credential)
            elif not all(secret and _sound(secret.spec) for secret in found):
                yield message("InvalidGatewayCredential", o, where, o.name, o.namespace)


def certificates(context: Context) -> Iterator[Message]:
    """Gateways whose pods also serve another one with the same certificate."""
    found = context.objects.all(Gateway)
    users: dict[tuple[str, ...], list[ConfigObject[Gateway]]] = defaultdict(list)
    for o in found:
        for used in _used(o):
            users[used].append(o)
    for o in found:
        rivals = {x.key: x for used in _used(o) for x in users[used] if x.key != o.key}
        same = [x for x in rivals.values() if selects(o.spec.selector, x.spec.selector)]
        if same:
            names = sorted(f"{x.namespace}/{x.name}" for x in (o, *same))
            yield message("GatewayDuplicateCertificate", o, ("spec", "servers"), names)


def _credentials(tls: ServerTLSSettings) -> list[str]:
    """Names of Secrets; those with a scheme are somewhere else."""
    named = (tls.credential_name, *tls.credential_names)
    return [name for name in named if name and "://" not in name]


def _used(gateway: ConfigObject[Gateway]) -> set[tuple[str, ...]]:
    used: set[tuple[str, ...]] = set()
    for tls in (server.tls for server in gateway.spec.servers if server.tls):
        used.update((name,) for name in _credentials(tls))
        if tls.server_certificate:
            used.add((tls.server_certificate, tls.private_key))
    return used


def _sound(secret: Secret) -> bool:
    """It has a certificate that is valid now, and a key; who serves them looks whether they are a pair."""
    try:
        pem = {k: base64.b64decode(v, validate=True) for k, v in secret.data.items()}
        pem |= {k: v.encode() for k, v in secret.string_data.items()}
        pair = next((p for p in _PAIRS if p[0] in pem and p[1] in pem), None)
        if pair is None:
            return False
        certificate = x509.load_pem_x509_certificates(pem[pair[0]])[0]
        serialization.load_pem_private_key(pem[pair[1]], password=None)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        return False
    return certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc
