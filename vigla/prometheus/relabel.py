"""Relabelling: of targets before a scrape, of samples after it.

Source: Prometheus, "Configuration", section ``relabel_config``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from vigla.prometheus.regex import RegexError, compile_regex, expanded, utf8

Action = Literal[
    "replace",
    "keep",
    "drop",
    "keepequal",
    "dropequal",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
]
_NEEDS_TARGET = {"replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class RelabelConfig(BaseModel):
    """One rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = "(.*)"
    modulus: int = Field(0, ge=0)
    target_label: str = ""
    replacement: str = "$1"
    action: Annotated[Action, BeforeValidator(_lower)] = "replace"

    @model_validator(mode="after")
    def _check(self) -> "RelabelConfig":
        try:
            compile_regex(self.regex)
        except RegexError as error:
            raise ValueError(str(error)) from error
        if self.action in _NEEDS_TARGET and not self.target_label:
            raise ValueError(f"relabel configuration for {self.action} action requires 'target_label' value")
        if self.action == "hashmod" and not self.modulus:
            raise ValueError("relabel configuration for hashmod requires non-zero modulus")
        return self

    def apply(self, labels: dict[str, str]) -> bool:
        """Change labels in place; False: they are dropped."""
        value = self.separator.join(labels.get(name, "") for name in self.source_labels)
        match self.action:
            case "keep" | "drop":
                return self._matches(value) == (self.action == "keep")
            case "keepequal" | "dropequal":
                return (labels.get(self.target_label, "") == value) == (self.action == "keepequal")
            case "labelmap" | "labeldrop" | "labelkeep":
                self._rename(labels)
            case "replace":
                self._replace(labels, value)
            case _:
                labels[self.target_label] = self._changed(value)
        return True

    def _matches(self, value: str) -> bool:
        return compile_regex(self.regex).fullmatch(utf8(value)) is not None

    def _changed(self, value: str) -> str:
        if self.action == "hashmod":
            digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
            return str(int.from_bytes(digest[8:], "big") % self.modulus)
        return value.lower() if self.action == "lowercase" else value.upper()

    def _replace(self, labels: dict[str, str], value: str) -> None:
        found = compile_regex(self.regex).fullmatch(utf8(value))
        if found is None:
            return
        target = expanded(self.target_label, found)
        if not target:
            return
        made = expanded(self.replacement, found)
        if made:
            labels[target] = made
        else:
            labels.pop(target, None)

    def _rename(self, labels: dict[str, str]) -> None:
        pattern = compile_regex(self.regex)
        for name, value in list(labels.items()):
            found = pattern.fullmatch(utf8(name))
            if self.action == "labelmap":
                if found is not None:
                    labels[expanded(self.replacement, found)] = value
            elif (found is None) == (self.action == "labelkeep"):
                del labels[name]


def relabelled(labels: Mapping[str, str], rules: Sequence[RelabelConfig]) -> dict[str, str] | None:
    """The labels that rules make of these; None: they drop them. Empty values are no labels."""
    made = dict(labels)
    for rule in rules:
        if not rule.apply(made):
            return None
    return {name: value for name, value in made.items() if value}
