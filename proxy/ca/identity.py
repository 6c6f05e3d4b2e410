"""Workload identities: SPIFFE ids in certificates."""

from dataclasses import dataclass

from cryptography import x509

from vigla.errors import BadInput

_SCHEME = "spiffe://"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a workload is: ``spiffe://<trust domain>/ns/<namespace>/sa/<service account>``."""

    trust_domain: str
    namespace: str
    service_account: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.trust_domain}/ns/{self.namespace}/sa/{self.service_account}"


def parse_identity(uri: str) -> Identity:
    """An identity from its URI.

    Raises:
        BadInput: it has another form.
    """
    parts = uri.removeprefix(_SCHEME).split("/")
    match parts:
        case [domain, "ns", namespace, "sa", account] if uri.startswith(_SCHEME):
            return Identity(domain, namespace, account)
    raise BadInput(f"identity {uri!r}: write spiffe://<trust domain>/ns/<namespace>/sa/<service account>")


def identities_of(certificate_pem: bytes) -> tuple[Identity, ...]:
    """The identities that a certificate (PEM) holds.

    Raises:
        BadInput: one of its URIs is no identity.
    """
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return tuple(parse_identity(uri) for uri in uris if uri.startswith(_SCHEME))
