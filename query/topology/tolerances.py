"""Which tolerances hold for an object: its annotation's, else its rule's, else the general ones.

Of the rules the first that matches is an object's. Source: Kiali's documentation, "Traffic health":
``health_config.rate`` and the annotation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import ValidationError

from vigla.settings import HealthSettings, Tolerance

ANNOTATION = "health.kiali.io/rate"
FIELDS = 5  # code, degraded, failure, protocol, direction

Object = tuple[str, str, str]
"""Namespace, kind (``app``, ``service`` or ``workload``), and name."""
NOTHING: Mapping[Object, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What calls are judged by; ``p95_ms`` of 0 judges no latency."""

    tolerances: tuple[Tolerance, ...]
    p95_ms: float = 0.0


class Tolerances:
    """Bounds by object.

    Args:
        settings: the rules, and what holds without one.
        annotations: texts of the annotation by object; one that cannot be read counts for nothing.
    """

    def __init__(self, settings: HealthSettings, annotations: Mapping[Object, str] = NOTHING) -> None:
        self._settings = settings
        self._annotations = annotations
        self._found: dict[Object, Bounds] = {}

    def of(self, namespace: str, kind: str, name: str) -> Bounds:
        """The bounds of an object."""
        wanted = namespace, kind, name
        if wanted not in self._found:
            self._found[wanted] = self._bounds(wanted)
        return self._found[wanted]

    def annotation(self, namespace: str, kind: str, name: str) -> str:
        """The annotation's text, empty without one."""
        return self._annotations.get((namespace, kind, name), "")

    @property
    def judge_latency(self) -> bool:
        """Whether any object's latency is judged."""
        return bool(self._settings.p95_ms or any(rule.p95_ms for rule in self._settings.rules))

    def _bounds(self, wanted: Object) -> Bounds:
        tolerances, p95_ms = self._settings.tolerances, self._settings.p95_ms
        for rule in self._settings.rules:
            patterns = (rule.namespace, rule.kind, rule.name)
            if all(re.fullmatch(pattern, text) for pattern, text in zip(patterns, wanted, strict=True)):
                tolerances = rule.tolerances or tolerances
                p95_ms = p95_ms if rule.p95_ms is None else rule.p95_ms
                break
        return Bounds(annotated(self._annotations.get(wanted, "")) or tolerances, p95_ms)


def annotated(text: str) -> tuple[Tolerance, ...]:
    """Tolerances of an annotation, ``4xx,10,20,http,inbound;5xx,..``; none when it cannot be read."""
    found = []
    for part in filter(None, map(str.strip, text.split(";"))):
        fields = [field.strip() for field in part.split(",")]
        if len(fields) != FIELDS:
            return ()
        code, degraded, failure, protocol, direction = fields
        given = {"degraded": degraded, "failure": failure, "protocol": protocol, "direction": direction}
        try:
            found.append(Tolerance.model_validate({"code": re.sub("[xX]", r"\\d", code), **given}))
        except ValidationError:
            return ()
    return tuple(found)
