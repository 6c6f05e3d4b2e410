"""What the models have in common."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:h|ms|m|s|us|µs|ns))+")
_PART = re.compile(r"(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)")


def parse_duration(value: object) -> timedelta:
    """A duration as Go writes it (``1h30m``, ``1.5s``, ``100ms``).

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("write a duration with its unit, like 5s, 100ms or 1h30m")
    return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(value)))


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Labels = dict[str, str]


class Model(BaseModel):
    """A message of the API: camel case outside, snake case inside, unknown fields refused, null is absent."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


class Lenient(Model):
    """A message of which only the fields here are read."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class StringMatch(Model):
    """One of the three; none matches any value that is present."""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class PortSelector(Model):
    """A port by its number."""

    number: int = 0


class Percent(Model):
    """0 to 100, fractions allowed."""

    value: float = 0.0


class WorkloadSelector(Model):
    """Workloads that have all these labels (Sidecar, ServiceEntry, EnvoyFilter)."""

    labels: Labels = Field(default_factory=dict)


class LabelSelector(Model):
    """Workloads that have all these labels (security and telemetry objects)."""

    match_labels: Labels = Field(default_factory=dict)


class PolicyTargetReference(Model):
    """The object that a policy is attached to."""

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class Port(Model):
    """A port of a Gateway server, a Sidecar listener or a ServiceEntry."""

    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


TlsProtocol = Literal["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]
CaptureMode = Literal["DEFAULT", "IPTABLES", "NONE"]
