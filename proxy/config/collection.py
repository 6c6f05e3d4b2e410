"""All objects of a mesh at one moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Key

SpecT = TypeVar("SpecT", bound=Model)


@dataclass(frozen=True, slots=True)
class Collection:
    """Immutable; of two objects with one key the later one counts."""

    by_key: Mapping[Key, ConfigObject[Model]] = field(default_factory=dict)
    _by_type: Mapping[type[Model], tuple[ConfigObject[Model], ...]] = field(default_factory=dict)
    _by_name: Mapping[tuple[type[Model], str, str], ConfigObject[Model]] = field(default_factory=dict)

    @classmethod
    def of(cls, objects: Iterable[ConfigObject[Model]]) -> "Collection":
        """The collection of these objects."""
        by_key = {o.key: o for o in objects}
        by_type: dict[type[Model], list[ConfigObject[Model]]] = {}
        by_name: dict[tuple[type[Model], str, str], ConfigObject[Model]] = {}
        for o in sorted(by_key.values(), key=lambda o: (o.created, o.name, o.namespace)):
            by_type.setdefault(o.kind.spec, []).append(o)
            by_name.setdefault((o.kind.spec, o.namespace, o.name), o)
        return cls(by_key, {spec: tuple(found) for spec, found in by_type.items()}, by_name)

    def all(self, spec: type[SpecT]) -> tuple[ConfigObject[SpecT], ...]:
        """The objects of this type: oldest first, then by name and namespace (Istio's order)."""
        return cast("tuple[ConfigObject[SpecT], ...]", self._by_type.get(spec, ()))

    def get(self, spec: type[SpecT], namespace: str, name: str) -> ConfigObject[SpecT] | None:
        """The object of this type and name, if there is one."""
        return cast("ConfigObject[SpecT] | None", self._by_name.get((spec, namespace, name)))
