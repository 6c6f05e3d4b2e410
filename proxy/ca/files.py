"""Certificates that the configuration names as files: they are read where the proxy runs, by Envoy itself."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from proxy.api.destination_rule import DestinationRule
from proxy.api.gateway import Gateway
from proxy.api.sidecar import Sidecar
from proxy.config.collection import Collection
from proxy.xds.resources import SDS, Resource, resource

PAIR, ROOT = "file-cert:", "file-root:"
_CERTIFICATES, _KEY, _AUTHORITY = ("serverCertificate", "clientCertificate"), "privateKey", "caCertificates"
_SYSTEM = "system"
"""Of ``caCertificates``: those that the proxy's system trusts."""


def file_secrets(config: Collection) -> Iterator[Resource]:
    """One secret for each pair of files and each authority, named as listeners and clusters do."""
    objects = chain(config.all(DestinationRule), config.all(Gateway), config.all(Sidecar))
    for found in objects:
        yield from _named(found.document.get("spec"))


def _named(value: object) -> Iterator[Resource]:
    if isinstance(value, Mapping):
        key, authority = value.get(_KEY), value.get(_AUTHORITY)
        for certificate in (value.get(name) for name in _CERTIFICATES):
            if certificate and key:
                pair = {"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}
                yield resource(SDS, {"name": f"{PAIR}{certificate}~{key}", "tls_certificate": pair})
        if authority and authority != _SYSTEM:
            trusted = {"trusted_ca": {"filename": authority}}
            yield resource(SDS, {"name": f"{ROOT}{authority}", "validation_context": trusted})
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from _named(inner)
