"""Warnings and infos of one query."""

from query.promql.ast import Place


class Annotations:
    """Collects them, each once, in the order they came; implements ``histograms.notes.Notes``."""

    def __init__(self) -> None:
        self._warnings: dict[str, None] = {}
        self._infos: dict[str, None] = {}

    def warn(self, text: str, place: Place) -> None:
        """Something is wrong with the result."""
        self._warnings[f"PromQL warning: {text} ({place})"] = None

    def info(self, text: str, place: Place) -> None:
        """Something may be wrong with the result."""
        self._infos[f"PromQL info: {text} ({place})"] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings."""
        return tuple(self._warnings)

    @property
    def infos(self) -> tuple[str, ...]:
        """All infos."""
        return tuple(self._infos)
