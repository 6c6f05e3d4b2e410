"""The messages of remote write, written down here: no package on PyPI ships their descriptors.

Source: the Prometheus specifications "Remote-Write 1.0" and "2.0". Text is read as bytes, as version 1.0 says
nothing of invalid UTF-8; enums as numbers; a oneof's members as optional fields.
"""

from functools import cache
from typing import Any, Literal, get_args

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from ptars import HandlerPool

from vigla.wire.messages import described

Version = Literal["1", "2"]

MetricType = Literal[
    "unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"
]
METRIC_TYPES: tuple[MetricType, ...] = get_args(MetricType)
"""In the order of their numbers on the wire."""

_HISTOGRAM = (
    "1 optional uint64 count_int",
    "2 optional double count_float",
    "3 double sum",
    "4 sint32 schema",
    "5 double zero_threshold",
    "6 optional uint64 zero_count_int",
    "7 optional double zero_count_float",
    "8 repeated BucketSpan negative_spans",
    "9 repeated sint64 negative_deltas",
    "10 repeated double negative_counts",
    "11 repeated BucketSpan positive_spans",
    "12 repeated sint64 positive_deltas",
    "13 repeated double positive_counts",
    "14 int32 reset_hint",
    "15 int64 timestamp",
    "16 repeated double custom_values",
)
_SPAN = ("1 sint32 offset", "2 uint32 length")
_SAMPLE = ("1 double value", "2 int64 timestamp")

_MESSAGES: dict[Version, dict[str, tuple[str, ...]]] = {
    "1": {
        "WriteRequest": ("1 repeated TimeSeries timeseries", "3 repeated MetricMetadata metadata"),
        "TimeSeries": (
            "1 repeated Label labels",
            "2 repeated Sample samples",
            "3 repeated Exemplar exemplars",
            "4 repeated Histogram histograms",
        ),
        "Label": ("1 bytes name", "2 bytes value"),
        "Sample": _SAMPLE,
        "Exemplar": ("1 repeated Label labels", "2 double value", "3 int64 timestamp"),
        "MetricMetadata": ("1 int32 type", "2 bytes name", "4 bytes help", "5 bytes unit"),
        "Histogram": _HISTOGRAM,
        "BucketSpan": _SPAN,
    },
    "2": {
        "Request": ("4 repeated bytes symbols", "5 repeated TimeSeries timeseries"),
        "TimeSeries": (
            "1 repeated uint32 labels_refs",
            "2 repeated Sample samples",
            "3 repeated Histogram histograms",
            "4 repeated Exemplar exemplars",
            "5 Metadata metadata",
        ),
        "Sample": (*_SAMPLE, "3 int64 start_timestamp"),
        "Exemplar": ("1 repeated uint32 labels_refs", "2 double value", "3 int64 timestamp"),
        "Metadata": ("1 int32 type", "3 uint32 help_ref", "4 uint32 unit_ref"),
        "Histogram": (*_HISTOGRAM, "17 int64 start_timestamp"),
        "BucketSpan": _SPAN,
    },
}


# Labels of series repeat, so that they are read as bytes, and each distinct one is taken apart once.
_RAW_LABELS = {**_MESSAGES["1"], "TimeSeries": ("1 repeated bytes labels", *_MESSAGES["1"]["TimeSeries"][1:])}


@cache
def handler(version: Version) -> Any:
    """A ptars handler that turns serialised requests into Arrow; of version 1 the labels are bytes."""
    descriptor = _raw_file().message_types_by_name["WriteRequest"] if version == "1" else _descriptor("2")
    return HandlerPool([descriptor.file]).get_for_message(descriptor)


@cache
def label_handler() -> Any:
    """A ptars handler for the labels of version 1."""
    return HandlerPool([_raw_file()]).get_for_message(_raw_file().message_types_by_name["Label"])


@cache
def _raw_file() -> FileDescriptor:
    return described("remote_write.raw", _RAW_LABELS)


@cache
def message_class(version: Version) -> type[Message]:
    """The request's class."""
    return GetMessageClass(_descriptor(version))


@cache
def _descriptor(version: Version) -> Descriptor:
    messages = _MESSAGES[version]
    return described(f"remote_write.v{version}", messages).message_types_by_name[next(iter(messages))]
