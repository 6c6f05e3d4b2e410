"""Statuses of health, and what made them so."""

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """How well a node or an edge is, from nothing known to worst."""

    NA = 0
    HEALTHY = 1
    DEGRADED = 3
    FAILURE = 4

    @property
    def text(self) -> str:
        """The name in Kiali's JSON."""
        return "NA" if self is Status.NA else self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Health:
    """A status, and in words what made it so; without reasons where all is well."""

    status: Status = Status.NA
    reasons: tuple[str, ...] = ()

    def worse(self, other: "Health") -> "Health":
        """The worse of two; the reasons of both."""
        reasons = dict.fromkeys((*self.reasons, *other.reasons))
        return Health(max(self.status, other.status), tuple(reasons))
