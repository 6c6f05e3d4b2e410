"""Trust domains that stand for one another (``trustDomain`` and ``trustDomainAliases`` of the MeshConfig)."""

from collections.abc import Iterator
from dataclasses import dataclass

from proxy.api.mesh import MeshConfig

_PARTS = 5
"""Of ``domain/ns/namespace/sa/account``."""


@dataclass(frozen=True, slots=True)
class TrustDomains:
    """The mesh's trust domain, then its aliases; none: identities are taken as they are written."""

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, mesh: MeshConfig) -> "TrustDomains":
        """Those of a mesh."""
        return cls((mesh.trust_domain, *mesh.trust_domain_aliases))

    def expand(self, principals: tuple[str, ...]) -> tuple[str, ...]:
        """Each identity in every trust domain that stands for its own, in the order of the domains."""
        return tuple(each for principal in principals for each in dict.fromkeys(self._same(principal)))

    def _same(self, principal: str) -> Iterator[str]:
        domain, _, rest = principal.partition("/")
        named = principal.count("/") == _PARTS - 1 and domain != "*"
        if not named or not any(_matches(name, domain) for name in self.names):
            yield principal
            return
        for name in self.names:
            kept = domain.startswith("*") and name.endswith(domain[1:])
            yield principal if kept else f"{name}/{rest}"


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
