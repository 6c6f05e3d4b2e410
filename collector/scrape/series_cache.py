"""The series of one target: how their lines look, and how they are written. Filled once, used each scrape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vigla.prometheus.config import ScrapeConfig
from vigla.prometheus.relabel import relabelled
from vigla.wire.exposition.page import BadPage
from vigla.wire.exposition.series_text import labels_of
from vigla.wire.remote_write.rows import heads_array, series_head

Ints = npt.NDArray[np.int64]

SPARE = 1000
"""Series that went are forgotten when there are more of them than of those that are left, and of these."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one target; 0: none.

    Attributes:
        samples: of one scrape, after relabelling.
        labels, name_length, value_length: of one series.
    """

    samples: int = 0
    labels: int = 0
    name_length: int = 0
    value_length: int = 0


def limits_of(config: ScrapeConfig, most: int) -> Limits:
    """Those of a configuration, with no more than ``most`` samples."""
    given = config.sample_limit
    return Limits(
        min(given, most) if given else most,
        config.label_limit,
        config.label_name_length_limit,
        config.label_value_length_limit,
    )


class SeriesCache:
    """Series by the text of their lines.

    Args:
        own: labels of the target.
        config: relabelling and ``honor_labels``.
        limits: more is refused.
    """

    def __init__(self, own: Sequence[tuple[str, str]], config: ScrapeConfig, limits: Limits) -> None:
        self._own = dict(own)
        self._config = config
        self._limits = limits
        self._texts: pa.Array = pa.array([], pa.large_string())
        self._heads: list[bytes | None] = []
        self._array = heads_array([])
        self._last: tuple[pa.Array, Ints] | None = None

    def codes(self, texts: pa.Array) -> Ints:
        """For each line the number of its series; -1: relabelling drops it.

        Raises:
            BadPage: a line is no series, or there is more than the limits allow.
        """
        if self._last is not None and self._last[0].equals(texts):
            return self._last[1]
        encoded = texts.dictionary_encode()
        if len(self._texts) > 2 * len(encoded.dictionary) + SPARE:
            self._forget(encoded.dictionary)
        known = pc.index_in(encoded.dictionary, value_set=self._texts)
        fresh = encoded.dictionary.filter(pc.is_null(known))
        if len(fresh):
            self._learn(fresh)
            known = pc.index_in(encoded.dictionary, value_set=self._texts)
        dropped = np.array([head is None for head in self._heads], bool)
        places = known.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers = np.where(dropped[places], -1, places) if len(places) else places
        codes: Ints = numbers[encoded.indices.to_numpy()] if len(texts) else places
        self._check_count(codes)
        self._last = (texts, codes)
        return codes

    def heads(self, codes: Ints) -> pa.Array:
        """How the series of these numbers begin in a request."""
        return self._array.take(pa.array(codes))

    def labels(self, text: str) -> dict[str, str] | None:
        """Labels of the series of a line; None: relabelling drops it.

        Raises:
            BadPage: it is no series.
        """
        return self._labelled(labels_of(text))

    def _learn(self, texts: pa.Array) -> None:
        heads: list[bytes | None] = []
        for text in texts.to_pylist():
            labels = self.labels(text)
            if labels is not None:
                self._check_labels(labels)
            heads.append(None if labels is None else series_head(labels))
        self._heads += heads
        self._texts = pa.concat_arrays([self._texts, texts])
        self._array = heads_array([head or b"" for head in self._heads])

    def _forget(self, staying: pa.Array) -> None:
        """Keep those alone; numbers change, so what ended is told before."""
        places = pc.index_in(staying, value_set=self._texts).drop_null().to_pylist()
        self._texts = self._texts.take(pa.array(places, pa.int64()))
        self._heads = [self._heads[place] for place in places]
        self._array = heads_array([head or b"" for head in self._heads])

    def _labelled(self, scraped: dict[str, str]) -> dict[str, str] | None:
        labels = with_target(scraped, self._own, honor=self._config.honor_labels)
        made = relabelled(labels, self._config.metric_relabel_configs)
        return made if made and made.get("__name__") else None

    def _check_labels(self, labels: Mapping[str, str]) -> None:
        limits, shown = self._limits, labels.get("__name__", "")
        if limits.labels and len(labels) > limits.labels:
            raise BadPage(f"label_limit exceeded ({len(labels)} labels, limit {limits.labels}): {shown}")
        for name, value in labels.items():
            if limits.name_length and len(name.encode()) > limits.name_length:
                raise BadPage(f"label_name_length_limit exceeded (limit {limits.name_length}): {name}")
            if limits.value_length and len(value.encode()) > limits.value_length:
                most = limits.value_length
                raise BadPage(f"label_value_length_limit exceeded (limit {most}): {shown}, {name}")

    def _check_count(self, codes: Ints) -> None:
        count = int((codes >= 0).sum())
        if self._limits.samples and count > self._limits.samples:
            raise BadPage(
                f"sample limit exceeded: {count} samples, {self._limits.samples} are allowed"
                " (sample_limit, scrape.max_samples)"
            )


def with_target(scraped: Mapping[str, str], own: Mapping[str, str], *, honor: bool) -> dict[str, str]:
    """Scraped labels with the target's; of two of one name the scraped one is moved or, honored, kept."""
    if honor:
        return {**own, **scraped}
    labels = {name: value for name, value in scraped.items() if value}
    for name in own:
        if name in labels:
            moved = "exported_" + name
            while moved in labels or moved in own:
                moved = "exported_" + moved
            labels[moved] = labels.pop(name)
    return {**labels, **own}
