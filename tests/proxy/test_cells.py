"""Cells hold while the same questions have the same answers."""

from dataclasses import dataclass, field

import pytest

from proxy.cells import Cells, Look


@dataclass
class Book:
    """Facts by name; notes who asks."""

    facts: dict[str, int]
    looks: list[Look] | None = None
    inner: "Book | None" = None
    asked: list[str] = field(default_factory=list)

    def noting(self, looks: list[Look]) -> "Book":
        return Book(self.facts, looks, self)

    def fact(self, name: str) -> int:
        answer = self.facts[name]
        if self.looks is not None:
            self.looks.append((fact_of, (name,), answer))
        return answer


def fact_of(book: Book, name: str) -> int:
    return book.facts[name]


def made_of(cells: Cells, facts: dict[str, int], given: int = 0) -> list[int]:
    """A result that looks at fact ``a`` only; its identity tells whether it was made anew."""
    return cells.looked("key", Book(facts), (given,), lambda book: [book.fact("a")])


def test_a_result_holds_until_what_it_looked_at_is_another():
    cells = Cells()
    first = made_of(cells, {"a": 1, "b": 1})
    assert made_of(cells, {"a": 1, "b": 2}) is first
    assert made_of(cells, {"a": 2, "b": 2}) == [2]


def test_a_result_holds_until_what_it_was_given_is_another():
    cells = Cells()
    first = made_of(cells, {"a": 1})
    assert made_of(cells, {"a": 1}, given=1) is not first


def test_results_of_arguments_alone():
    cells = Cells()
    first = cells.kept("key", (1, "x"), lambda: [1])
    assert cells.kept("key", (1, "x"), lambda: [2]) is first
    assert cells.kept("key", (2, "x"), lambda: [2]) == [2]


def test_the_oldest_cells_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("proxy.cells.LIMIT", 2)
    cells = Cells()
    first = cells.kept("a", (), list)
    cells.kept("b", (), list)
    assert cells.kept("a", (), list) is first
    cells.kept("c", (), list)
    assert cells.kept("a", (), list) is not first
