"""Lines of Envoy's access log files, in Istio's default formats, as columns of text.

Sources: Istio's ``EnvoyTextLogFormat`` and ``EnvoyJSONLogFormatIstio``. Columns of both are named by the
keys of the JSON format; ``-`` stands for nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.access_logs.names import TCP

TIME = "start_time"
_NOTHING = pa.array(["", "-"])
_RUNTIME = r"^\S+ std(?:out|err) F "  # what container runtimes (CRI) write in front of each line
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$"
_TEXT = (
    r"^\[(?P<start_time>[^\]]+)\] "
    r'"(?P<method>\S+) (?P<path>.*) (?P<protocol>\S+)" '
    r"(?P<response_code>\d+) (?P<response_flags>\S+) (?P<response_code_details>\S+) "
    r"(?P<connection_termination_details>.+?) "
    r'"(?P<upstream_transport_failure_reason>.*?)" '
    r"(?P<bytes_received>\d+|-) (?P<bytes_sent>\d+|-) (?P<duration>\d+|-) (?P<upstream_service_time>\S+) "
    r'"(?P<x_forwarded_for>[^"]*)" "(?P<user_agent>.*)" "(?P<request_id>[^"]*)" '
    r'"(?P<authority>[^"]*)" "(?P<upstream_host>[^"]*)" '
    r"(?P<upstream_cluster>\S+) (?P<upstream_local_address>\S+) (?P<downstream_local_address>\S+) "
    r"(?P<downstream_remote_address>\S+) (?P<requested_server_name>\S+)(?: (?P<route_name>.*))?$"
)


class Parsed(NamedTuple):
    """What lines held.

    Attributes:
        starts: nanoseconds since the epoch (int64), never null.
        columns: text by name, null where a line has nothing; as many rows as ``starts``.
        skipped: lines that are in neither format.
    """

    starts: pa.Int64Array
    columns: dict[str, pa.StringArray]
    skipped: int


def parsed(lines: Sequence[str]) -> Parsed:
    """Read lines of either format, without their ends; text lines come before JSON ones.

    Empty lines are no lines. A line without a start time in UTC is skipped.
    """
    texts = pc.replace_substring_regex(pa.array(lines, pa.string()), _RUNTIME, "", max_replacements=1)
    texts = texts.filter(pc.not_equal(texts, ""))
    is_json = pc.starts_with(texts, "{")
    tables = [_text_table(texts.filter(pc.invert(is_json))), _json_table(texts.filter(is_json))]
    table = pa.concat_tables([t for t in tables if t.num_columns], promote_options="default").combine_chunks()
    if not table.num_rows:
        return Parsed(pa.array([], pa.int64()), {}, len(texts))
    starts = _starts(_column(table, TIME))
    table, starts = table.filter(starts.is_valid()), starts.drop_null()
    columns = {name: _column(table, name) for name in table.column_names if name != TIME}
    columns = {name: pc.if_else(pc.is_in(c, _NOTHING), _null(), c) for name, c in columns.items()}
    return Parsed(starts, _with_tcp(columns), len(texts) - len(starts))


def _text_table(lines: pa.StringArray) -> pa.Table:
    fields = pc.extract_regex(lines, _TEXT).drop_null()
    return pa.Table.from_batches([pa.RecordBatch.from_struct_array(fields)])


def _json_table(lines: pa.StringArray) -> pa.Table:
    """Any keys are read: a mesh may add its own."""
    objects = [found for line in lines.to_pylist() if (found := _object(line))]
    names = dict.fromkeys(name for found in objects for name in found)
    names.setdefault(TIME)
    return pa.table({n: pa.array([_written(o.get(n)) for o in objects], pa.string()) for n in names})


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _written(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _column(table: pa.Table, name: str) -> pa.StringArray:
    column = table.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _null() -> pa.Scalar:
    return pa.scalar(None, pa.string())


def _starts(times: pa.StringArray) -> pa.Int64Array:
    """Null where a text is no time."""
    times = pc.if_else(pc.match_substring_regex(times, _TIME), times, _null())
    try:
        return times.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    except pa.ArrowInvalid:  # of the right shape but no day of the calendar
        real = [text if text and _is_date(text[:10]) else None for text in times.to_pylist()]
        return pa.array(real, pa.string()).cast(pa.timestamp("ns", "UTC")).cast(pa.int64())


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _with_tcp(columns: dict[str, pa.StringArray]) -> dict[str, pa.StringArray]:
    """A connection has neither method nor protocol; say what it is, as Envoy's log service does."""
    if not {"method", "protocol", "response_code"} <= columns.keys():
        return columns
    protocol, method, code = (columns[name] for name in ("protocol", "method", "response_code"))
    is_tcp = pc.and_(pc.and_(protocol.is_null(), method.is_null()), pc.fill_null(pc.equal(code, "0"), False))
    return columns | {"protocol": pc.if_else(is_tcp, TCP, protocol)}
