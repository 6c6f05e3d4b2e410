"""``/api/v1/openapi.yaml``: the API below ``/api/v1``, described for generators of clients (OpenAPI 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from fastapi import APIRouter, Response

from query.prometheus.status import API_VERSION

MEDIA_TYPE = "application/yaml; charset=utf-8"
PATH = "/api/v1/openapi.yaml"
Json = dict[str, Any]

_STRING: Json = {"type": "string"}
_STRINGS: Json = {"type": "array", "items": _STRING}
_WHOLE: Json = {"type": "integer", "minimum": 0}
_TIME: Json = {"type": "string", "description": "RFC 3339 or Unix seconds"}
_DURATION: Json = {"type": "string", "description": "such as 5m, or seconds"}
_REQUIRED = {"query", "step"}
_PARAMETERS: dict[str, Json] = {
    "query": {"type": "string", "description": "a PromQL expression"},
    "time": _TIME,
    "start": _TIME,
    "end": _TIME,
    "step": _DURATION,
    "timeout": _DURATION,
    "lookback_delta": _DURATION,
    "limit": _WHOLE,
    "limit_per_metric": _WHOLE,
    "match[]": _STRINGS,
    "metric": _STRING,
    "metric_name_pattern": {"type": "string", "description": "RE2 that matches whole names"},
    "match_target": _STRING,
    "state": {"type": "string", "enum": ["active", "dropped", "any"]},
    "scrapePool": _STRING,
    "type": {"type": "string", "enum": ["alert", "record"]},
    "rule_name[]": _STRINGS,
    "rule_group[]": _STRINGS,
    "file[]": _STRINGS,
    "exclude_alerts": {"type": "boolean"},
    "group_limit": _WHOLE,
    "group_next_token": _STRING,
    "skip_head": {"type": "boolean"},
}
_RANGE = ("start", "end")


@dataclass(frozen=True, slots=True)
class Operation:
    """One path.

    Attributes:
        path: below ``/api/v1``.
        summary: what it answers.
        parameters: names in ``_PARAMETERS``.
        methods: in lower case.
        media_type: of the answer.
    """

    path: str
    summary: str
    parameters: Sequence[str] = ()
    methods: Sequence[str] = ("get",)
    media_type: str = "application/json"


_BOTH = ("get", "post")
_WRITE = ("post", "put")
OPERATIONS = (
    Operation("/query", "An instant query", ("query", "time", "timeout", "limit", "lookback_delta"), _BOTH),
    Operation(
        "/query_range",
        "A range query",
        ("query", *_RANGE, "step", "timeout", "limit", "lookback_delta"),
        _BOTH,
    ),
    Operation("/query_exemplars", "Exemplars of the series in a query", ("query", *_RANGE), _BOTH),
    Operation("/format_query", "A query in its standard layout", ("query",), _BOTH),
    Operation("/parse_query", "The syntax tree of a query", ("query",), _BOTH),
    Operation("/labels", "Names of labels", (*_RANGE, "match[]", "limit"), _BOTH),
    Operation("/label/{name}/values", "Values of a label", (*_RANGE, "match[]", "limit")),
    Operation("/series", "Label sets of series", (*_RANGE, "match[]", "limit"), _BOTH),
    Operation("/metadata", "Type, help and unit of metrics", ("metric", "limit", "limit_per_metric")),
    Operation("/targets", "What is scraped", ("state", "scrapePool")),
    Operation("/targets/metadata", "Metadata by target", ("match_target", "metric", "limit")),
    Operation("/scrape_pools", "Names of scrape configurations"),
    Operation(
        "/rules",
        "Rules and their state",
        (
            "type",
            "rule_name[]",
            "rule_group[]",
            "file[]",
            "exclude_alerts",
            "match[]",
            "group_limit",
            "group_next_token",
        ),
    ),
    Operation("/alerts", "Active alerts"),
    Operation("/alertmanagers", "Where alerts are sent"),
    Operation("/status/buildinfo", "Versions"),
    Operation("/status/config", "The configuration without secrets"),
    Operation("/status/flags", "Bounds"),
    Operation("/status/runtimeinfo", "The process"),
    Operation("/status/tsdb", "Counts of series", ("limit",)),
    Operation("/status/tsdb/blocks", "Files of samples"),
    Operation("/status/walreplay", "Progress at start"),
    Operation("/status/self_metrics", "The server's own metrics", ("metric_name_pattern",)),
    Operation("/features", "What the server can do"),
    Operation("/notifications", "What the server has to tell"),
    Operation("/notifications/live", "The same, as they come", media_type="text/event-stream"),
    Operation("/read", "Remote read", methods=("post",), media_type="application/x-protobuf"),
    Operation("/admin/tsdb/delete_series", "Delete samples", ("match[]", *_RANGE), _WRITE),
    Operation("/admin/tsdb/clean_tombstones", "Write files without what was deleted", (), _WRITE),
    Operation("/admin/tsdb/snapshot", "Copy the lake", ("skip_head",), _WRITE),
    Operation("/openapi.yaml", "This description", media_type="application/yaml"),
)


def router() -> APIRouter:
    """The route."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(PATH)
    async def openapi() -> Response:
        return Response(_text(), media_type=MEDIA_TYPE)

    return routes


@cache
def _text() -> str:
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": "Prometheus' HTTP API, of vigla", "version": API_VERSION},
        "servers": [{"url": "/api/v1"}],
        "paths": {operation.path: _path(operation) for operation in OPERATIONS},
        "components": {"schemas": {"Answer": _answer("success"), "Error": _error()}},
    }
    text: str = yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    return text


class _Plain(yaml.SafeDumper):
    """Without anchors, which some generators do not read."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  of nothing
        return True


def _path(operation: Operation) -> Json:
    return {method: _operation(operation, method) for method in operation.methods}


def _operation(operation: Operation, method: str) -> Json:
    words = operation.path.strip("/").replace("{name}/", "").replace(".", "/").split("/")
    described: Json = {"operationId": "-".join((method, *words)), "summary": operation.summary}
    in_path = [_parameter("name", "path", _STRING)] if "{name}" in operation.path else []
    named = [_parameter(name, "query", _PARAMETERS[name]) for name in operation.parameters]
    if method == "post" and "get" in operation.methods:
        described["requestBody"] = {
            "content": {"application/x-www-form-urlencoded": {"schema": _form(operation)}}
        }
    elif in_path or named:
        described["parameters"] = in_path + named
    schema = {"schema": {"$ref": "#/components/schemas/Answer"}}
    content = {operation.media_type: schema if operation.media_type == "application/json" else {}}
    failure = {"schema": {"$ref": "#/components/schemas/Error"}}
    described["responses"] = {
        "200": {"description": "the answer", "content": content},
        "default": {"description": "what is wrong", "content": {"application/json": failure}},
    }
    return described


def _parameter(name: str, place: str, schema: Json) -> Json:
    return {"name": name, "in": place, "required": place == "path" or name in _REQUIRED, "schema": schema}


def _form(operation: Operation) -> Json:
    schema: Json = {
        "type": "object",
        "properties": {name: _PARAMETERS[name] for name in operation.parameters},
    }
    required = [name for name in operation.parameters if name in _REQUIRED]
    return schema | ({"required": required} if required else {})


def _answer(status: str) -> Json:
    return {
        "type": "object",
        "required": ["status", "data"],
        "properties": {
            "status": {"const": status},
            "data": {},
            "warnings": _STRINGS,
            "infos": _STRINGS,
        },
    }


def _error() -> Json:
    kinds = ["bad_data", "execution", "timeout", "canceled", "internal", "not_found", "unavailable"]
    return {
        "type": "object",
        "required": ["status", "errorType", "error"],
        "properties": {
            "status": {"const": "error"},
            "errorType": {"type": "string", "enum": kinds},
            "error": _STRING,
        },
    }
