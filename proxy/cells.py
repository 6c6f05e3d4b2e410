"""Results that are kept over changes of the mesh, each until something that it was made of is another.

A cell is checked, not invalidated: it keeps what it was given and what was looked up while it was made, and
holds as long as the same questions have the same answers (the verifying traces of build systems).
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

Look = tuple[Callable[..., Any], tuple[Any, ...], Any]
"""A question (called with what was asked, then its arguments), its arguments, and the answer."""

LIMIT = 200_000
"""Cells that are kept; of more, the oldest go."""


class Askable(Protocol):
    """What questions are asked of; answers never change."""

    def noting(self, looks: list[Look]) -> Self:
        """The same, noting each question that is asked of it."""


AskedT = TypeVar("AskedT", bound=Askable)
ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class _Cell:
    """A result; ``checked`` is where it was last found to hold."""

    result: Any
    given: tuple[Any, ...]
    looks: Sequence[Look]
    checked: object


class Cells:
    """The cells, by key. Used from any thread; two may make the same result at once."""

    def __init__(self) -> None:
        self._cells: dict[Hashable, _Cell] = {}

    def kept(self, key: Hashable, given: tuple[Any, ...], make: Callable[[], ResultT]) -> ResultT:
        """The result of a function of ``given`` alone."""
        cell = self._cells.get(key)
        if cell is None or not _same(cell.given, given):
            cell = self._put(key, _Cell(make(), given, (), None))
        result: ResultT = cell.result
        return result

    def looked(
        self, key: Hashable, asked: AskedT, given: tuple[Any, ...], make: Callable[[AskedT], ResultT]
    ) -> ResultT:
        """The result of a function of ``given`` and of what it looks up in ``asked``.

        Args:
            key: of the cell.
            asked: handed to ``make``, which must not ask any other.
            given: what else it depends on.
            make: works the result out; the result must not be changed later.
        """
        cell = self._cells.get(key)
        if cell is None or not (cell.checked is asked or _holds(cell, asked)) or not _same(cell.given, given):
            looks: list[Look] = []
            cell = self._put(key, _Cell(make(asked.noting(looks)), given, _once(looks), asked))
        cell.checked = asked
        result: ResultT = cell.result
        return result

    def _put(self, key: Hashable, cell: _Cell) -> _Cell:
        self._cells.pop(key, None)
        self._cells[key] = cell
        while len(self._cells) > LIMIT:
            self._cells.pop(next(iter(self._cells)), None)
        return cell


def _same(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether all are the same or equal; most are the same."""
    return all(a is b or a == b for a, b in zip(old, new, strict=True))


def _holds(cell: _Cell, asked: object) -> bool:
    for question, arguments, answer in cell.looks:
        found = question(asked, *arguments)
        if found is not answer and found != answer:
            return False
    return True


def _once(looks: Sequence[Look]) -> Sequence[Look]:
    made: list[Look] = []
    for look in looks:
        if all(look[0] is not known[0] or look[1] != known[1] for known in made):
            made.append(look)
    return made
