"""What a schema refuses and the models let pass: nulls, and numbers or booleans as text.

The models take null for an absent field, and convert what can be converted. Kubernetes refuses both, so
that a file which loads here and not there would surprise.
"""

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from proxy.api.base import Model
from proxy.validate.spot import Spot

_NUMBERS = (bool, int, float)


def schema(at: Spot, spec: type[Model], document: Mapping[str, Any]) -> None:
    """Judge the spec of a document by the types of its model."""
    if "spec" in document and document["spec"] is None:
        at.error("must not be null")
    elif "spec" in document:
        _model(at, spec, document["spec"])


def _model(at: Spot, model: type[BaseModel], value: Mapping[str, Any]) -> None:
    for name, (kind, nullable) in _fields(model).items():
        if name not in value:
            continue
        if value[name] is not None:
            _value(at / name, kind, value[name])
        elif not nullable:
            (at / name).error("must not be null: give a value or remove it")


@cache
def _fields(model: type[BaseModel]) -> dict[str, tuple[Any, bool]]:
    """Type of each field by its name outside, and whether it may be null: optional numbers and booleans."""
    made = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
        wanted = [option for option in options if option is not type(None)]
        nullable = len(wanted) < len(options) and wanted[0] in _NUMBERS
        made[field.alias or name] = (wanted[0], nullable)
    return made


def _value(at: Spot, kind: Any, value: Any) -> None:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        for index, item in enumerate(value):
            _value(at / index, arguments[0], item)
    elif origin is dict:
        for key, item in value.items():
            _value(at / key, arguments[1], item)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        _model(at, kind, value)
    elif kind in _NUMBERS:
        _number(at, kind, value)


def _number(at: Spot, kind: type, value: object) -> None:
    if kind is bool and not isinstance(value, bool):
        at.error(f"{value!r} is no boolean: write true or false, without quotes")
    elif kind is not bool and (isinstance(value, bool) or not isinstance(value, int | float)):
        at.error(f"{value!r} is no number: write it without quotes")
