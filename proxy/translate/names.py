"""Names of hosts and clusters, and short JSON forms that many resources need."""

from datetime import timedelta

CATCH_ALL = "*"


def full_host(host: str, namespace: str, domain: str) -> str:
    """A host as the registry knows it: short names are completed by namespace and domain.

    Args:
        host: as written in an object.
        namespace: of the object.
        domain: of the mesh, ``cluster.local``; empty: only the namespace is added.
    """
    if "." in host or host == CATCH_ALL or not host:
        return host
    return f"{host}.{namespace}.svc.{domain}" if domain else f"{host}.{namespace}"


def outbound_cluster(port: int, subset: str, host: str) -> str:
    """Cluster of a service's port and subset."""
    return f"outbound|{port}|{subset}|{host}"


def sni_cluster(port: int, subset: str, host: str) -> str:
    """The same as a TLS server name."""
    return f"outbound_.{port}_.{subset}_.{host}"


def matches(host: str, pattern: str) -> bool:
    """Whether the pattern (``*``, ``*.suffix`` or a name) covers every host that ``host`` stands for."""
    if pattern == CATCH_ALL:
        return True
    if pattern.startswith(CATCH_ALL):
        return host.removeprefix(CATCH_ALL).endswith(pattern[1:])
    return host == pattern


def specificity(pattern: str) -> tuple[bool, int]:
    """Sort key: names before wildcards, longer before shorter, when sorted in reverse."""
    return not pattern.startswith(CATCH_ALL), len(pattern)


def seconds(value: timedelta) -> str:
    """A duration in JSON: ``1.5s``."""
    text = f"{value.total_seconds():.6f}".rstrip("0").rstrip(".")
    return f"{text}s"
