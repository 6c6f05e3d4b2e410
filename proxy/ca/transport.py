"""TLS of our own gRPC servers, with certificates of the mesh's authority."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import grpc

from proxy.ca.authority import WORKLOAD_LIFETIME, Authority
from proxy.ca.identity import Identity


def server_credentials(
    authority: Authority,
    identity: Identity,
    hosts: Sequence[str],
    lifetime: timedelta = WORKLOAD_LIFETIME,
) -> grpc.ServerCredentials:
    """TLS that asks clients for a certificate of the mesh; our own is renewed at half of its life.

    Args:
        authority: signs ours and must have signed theirs.
        identity: ours.
        hosts: names and addresses that clients connect to.
        lifetime: of our certificate.
    """
    renew = datetime.min.replace(tzinfo=UTC)

    def configuration() -> grpc.ServerCertificateConfiguration | None:
        nonlocal renew
        now = datetime.now(UTC)
        if now < renew:
            return None
        issued = authority.issue(identity, lifetime, hosts)
        renew = now + (issued.expires - now) / 2
        return grpc.ssl_server_certificate_configuration(
            [(issued.key, issued.chain)], root_certificates=issued.root
        )

    first = configuration()
    if first is None:
        raise RuntimeError("a certificate made now is not due")
    # None keeps the configuration before; the types do not know that.
    fetcher = cast("Callable[[], grpc.ServerCertificateConfiguration]", configuration)
    return grpc.dynamic_ssl_server_credentials(first, fetcher, require_client_authentication=True)
