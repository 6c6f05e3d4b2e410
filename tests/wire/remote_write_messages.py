"""Remote write requests for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from vigla.wire.remote_write import envelope
from vigla.wire.remote_write.descriptors import message_class

Points = Sequence[tuple[int, float]]


def request_v1(*series: tuple[Mapping[str, str], Points]) -> Any:
    """A 1.0 request: labels and (ms, value) of each series."""
    request: Any = message_class("1")()
    for labels, points in series:
        added = request.timeseries.add()
        for name, value in labels.items():
            added.labels.add(name=name.encode(), value=value.encode())
        for time, value in points:
            added.samples.add(timestamp=time, value=value)
    return request


def request_v2(*series: tuple[Mapping[str, str], Points]) -> Any:
    """A 2.0 request."""
    request: Any = message_class("2")()
    symbols = [""]
    for labels, points in series:
        added = request.timeseries.add()
        for pair in labels.items():
            for part in pair:
                if part not in symbols:
                    symbols.append(part)
                added.labels_refs.append(symbols.index(part))
        for time, value in points:
            added.samples.add(timestamp=time, value=value)
    request.symbols.extend(symbol.encode() for symbol in symbols)
    return request


def packed(request: Any) -> bytes:
    """As a body."""
    return envelope.compress(request.SerializeToString())
