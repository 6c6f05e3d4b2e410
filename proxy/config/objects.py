"""One configuration object, and where it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from proxy.api.base import Model
from proxy.config.kinds import Kind

Path = tuple[str | int, ...]
"""Of a field inside a document: ``("spec", "http", 0, "route")``."""

SpecT_co = TypeVar("SpecT_co", bound=Model, covariant=True)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What makes an object one of its kind; cluster-scoped kinds have an empty namespace."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document stands. Lines count from 1.

    Attributes:
        file: name as the user gave it; empty for objects made here.
        lines: of each field of the document.
    """

    file: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Line of a field, or of the nearest field around it; 0: not known."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 0


@dataclass(frozen=True, slots=True)
class ConfigObject(Generic[SpecT_co]):
    """An object of the mesh's configuration: of the right types; ``proxy.validate`` judges its sense.

    Attributes:
        kind: with its group and versions.
        api_version: as written.
        spec: the typed content.
        document: the whole object as JSON values, as written.
        created: creation time; older objects win conflicts.
    """

    kind: Kind
    api_version: str
    namespace: str
    name: str
    spec: SpecT_co
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    created: datetime = EPOCH
    document: Mapping[str, object] = field(default_factory=dict)
    origin: Origin = Origin()

    @property
    def key(self) -> Key:
        """Identity of the object."""
        return Key(self.kind.name, self.namespace, self.name)
