"""What the lake's tables consist of."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
from fastapi import FastAPI

from ingester.derive import summaries
from query.server import create_app
from tests.browser.spans import bookinfo
from tests.contracts.rows import upto
from vigla.clock import SystemClock
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.settings import QuerySettings, StorageSettings
from vigla.storage.lake import Lake
from vigla.telemetry.metrics import Metrics
from vigla.wire.otlp.spans import SpanDecoder

T = 1_700_000_000_000_000_000


def test_tables_in_files_rows_and_bytes(
    tmp_path: Path, serving: Callable[[FastAPI], AbstractContextManager[str]]
) -> None:
    lake = Lake(StorageSettings(path=tmp_path), DEFAULT_PROMOTED, Metrics(), SystemClock())
    for number in range(2):
        spans = SpanDecoder(DEFAULT_PROMOTED).decode([bookinfo(f"{number + 1:032x}", T)])
        lake.buffer({"spans": spans, "traces": summaries(spans)}, upto(lake, traces=number + 1))
        lake.flush()
    app = create_app(lake, DEFAULT_PROMOTED, QuerySettings(), Metrics(), SystemClock())
    with serving(app) as url:
        tables = {each["name"]: each for each in httpx.get(f"{url}/api/vigla/v1/storage").json()["tables"]}
    spans_now = tables["spans"]
    sizes = sum(path.stat().st_size for path in tmp_path.rglob("spans/*.parquet"))
    assert (spans_now["files"], spans_now["rows"], spans_now["bytes"]) == (2, 14, sizes)
    assert int(spans_now["oldest"]) == T
    empty = {"name": "samples", "files": 0, "rows": 0, "bytes": 0, "oldest": None, "newest": None}
    assert tables["samples"] == empty
    assert set(tables) >= {"traces", "access_logs", "archived_spans", "series"}
    lake.close()
