"""A configuration file as it may be shown: without its secrets, as Prometheus shows its own."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

SECRET = "<secret>"  # noqa: S105  what stands in their place
_SECRETS = frozenset(
    {"password", "credentials", "bearer_token", "key", "secrets", "client_secret", "secret_key", "token"}
)
_PASSWORD = re.compile(r"(?<=://)([^/@:\s]*):[^/@\s]*@")


def shown(document: Mapping[str, Any]) -> str:
    """YAML of a file's content; empty of an empty one.

    Args:
        document: mappings, lists and texts.
    """
    if not document:
        return ""
    text: str = yaml.safe_dump(_masked(document), sort_keys=False, allow_unicode=True)
    return text


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: each if name == "labels" else _hidden(each) if name in _SECRETS else _masked(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return _PASSWORD.sub(r"\1:xxxxx@", value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    return [SECRET] * len(value) if isinstance(value, list) else SECRET
