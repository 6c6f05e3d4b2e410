"""Where in an object a check looks, and what it found there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from proxy.api.base import Model
from proxy.config.objects import ConfigObject, Path
from proxy.config.parse import Problem, Severity

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Spot:
    """A field of an object under judgement; ``spot / "http" / 0`` is a field below it.

    Attributes:
        found: all problems of the object, shared by its spots.
    """

    obj: ConfigObject[Model]
    path: Path = ()
    found: list[Problem] = field(default_factory=list)

    def __truediv__(self, part: str | int) -> "Spot":
        return Spot(self.obj, (*self.path, part), self.found)

    def error(self, message: str) -> None:
        """The object must not be used."""
        self._add(message, "error")

    def warn(self, message: str, known_as: str = "") -> None:
        """The object works, but hardly as meant.

        Args:
            message: what is doubtful.
            known_as: Istio's name of it, see ``Problem``.
        """
        self._add(message, "warning", known_as)

    def each(self, name: str, items: Iterable[ItemT]) -> Iterator[tuple["Spot", ItemT]]:
        """The items of a list with their places."""
        for index, item in enumerate(items):
            yield self / name / index, item

    def entries(self, name: str, items: Mapping[str, ItemT]) -> Iterator[tuple["Spot", str, ItemT]]:
        """The entries of a mapping with their places."""
        for key, item in items.items():
            yield self / name / key, key, item

    def _add(self, message: str, severity: Severity, known_as: str = "") -> None:
        origin = self.obj.origin
        line = origin.line(self.path)
        subject = str(self.obj.key)
        self.found.append(Problem(message, self.path, origin.file, line, subject, severity, known_as))
