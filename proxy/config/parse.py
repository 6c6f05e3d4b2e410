"""Reading objects from YAML: every document is judged alone, with all that is wrong with it told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from proxy.api.base import Model
from proxy.config.kinds import KINDS, Kind
from proxy.config.objects import EPOCH, ConfigObject, Origin, Path

DEFAULT_NAMESPACE = "default"
_CREATED = TypeAdapter(datetime)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a document, or a field of it, is refused.

    Attributes:
        path: of the field; empty for the whole document.
        message: what is wrong and what to write instead.
        line: in the file, from 1; 0: not known.
        subject: the object, as ``Kind namespace/name``, as far as it is known.
    """

    message: str
    path: Path = ()
    file: str = ""
    line: int = 0
    subject: str = ""

    @property
    def field(self) -> str:
        """The path as users write it: ``spec.http[0].route``."""
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds.

    Attributes:
        objects: those of known kind and right types, in the file's order.
        problems: of the other documents.
        ignored: kinds of documents that mean nothing here, as ``apiVersion kind``.
    """

    objects: tuple[ConfigObject[Model], ...] = ()
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    file: str
    namespace: str
    objects: list[ConfigObject[Model]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def dotted(path: Path) -> str:
    """``("spec", "http", 0)`` as ``spec.http[0]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def parse(text: str, file: str = "", namespace: str = DEFAULT_NAMESPACE) -> Parsed:
    """Read the documents of a YAML (or JSON) file; lists are opened.

    Args:
        text: the file's content.
        file: its name, for messages.
        namespace: of objects that name none.
    """
    reading = _Reading(file, namespace)
    loader = yaml.CSafeLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                _document(reading, loader.construct_document(node), node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.problems.append(
            Problem(f"not YAML: {error.problem}", file=file, line=mark.line + 1 if mark else 0)
        )
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reading.problems.append(Problem(f"not YAML: {error}", file=file))
    finally:
        loader.dispose()
    return Parsed(tuple(reading.objects), tuple(reading.problems), tuple(reading.ignored))


def _document(reading: _Reading, value: Any, node: yaml.Node, path: Path) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        message = "not an object: it needs apiVersion, kind and metadata"
        reading.problems.append(Problem(message, file=reading.file, line=node.start_mark.line + 1))
        return
    if value.get("kind") == "List" and isinstance(value.get("items"), list):
        items = next(v for k, v in node.value if k.value == "items")
        for item, child in zip(value["items"], items.value, strict=True):
            _document(reading, item, child, path)
        return
    made = read(value, Origin(reading.file, dict(_lines(node, ()))), reading.namespace)
    if isinstance(made, ConfigObject):
        reading.objects.append(made)
    elif isinstance(made, str):
        reading.ignored.append(made)
    else:
        reading.problems.extend(made)


def read(
    document: Mapping[str, Any], origin: Origin, namespace: str = DEFAULT_NAMESPACE
) -> ConfigObject[Model] | str | list[Problem]:
    """One object from its JSON values, or the name of a kind that is ignored, or what is wrong."""
    api_version, name = document.get("apiVersion"), document.get("kind")
    metadata = document.get("metadata") or {}
    if not (isinstance(api_version, str) and isinstance(name, str) and isinstance(metadata, dict)):
        return [_problem("it needs apiVersion, kind and metadata", (), origin, "")]
    group, _, version = api_version.rpartition("/")
    kind = KINDS.get((group, name))
    if kind is None:
        if not group.endswith(".istio.io"):
            return f"{api_version} {name}"
        known = ", ".join(sorted(k for g, k in KINDS if g == group)) or "none"
        return [_problem(f"unknown kind {name} of {group}; known: {known}", ("kind",), origin, name)]
    if version not in kind.versions:
        message = (
            f"unknown version {version} of {name}; write {group}{'/' if group else ''}{kind.versions[0]}"
        )
        return [_problem(message, ("apiVersion",), origin, name)]
    return _typed(document, metadata, kind, origin, namespace)


def _typed(
    document: Mapping[str, Any], metadata: Mapping[str, Any], kind: Kind, origin: Origin, namespace: str
) -> ConfigObject[Model] | list[Problem]:
    own = str(metadata.get("namespace") or namespace) if kind.namespaced else ""
    name = metadata.get("name") or metadata.get("generateName")
    if not isinstance(name, str):
        return [_problem("it needs a name", ("metadata", "name"), origin, kind.name)]
    subject = f"{kind.name} {own}/{name}"
    content = {k: v for k, v in document.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    value: Any = content if kind.inline else document.get("spec") or {}
    try:
        spec = kind.spec.model_validate(value)
        created = _CREATED.validate_python(metadata.get("creationTimestamp") or EPOCH)
    except ValidationError as error:
        head: Path = () if kind.inline else ("spec",)
        return [_refusal(e, head, origin, subject) for e in error.errors(include_url=False)]
    return ConfigObject(
        kind=kind,
        api_version=str(document["apiVersion"]),
        namespace=own,
        name=name,
        spec=spec,
        labels=_texts(metadata.get("labels")),
        annotations=_texts(metadata.get("annotations")),
        created=created,
        document=document,
        origin=origin,
    )


def _texts(value: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


_SAID = {"extra_forbidden": "unknown field", "missing": "required"}


def _refusal(error: Any, head: Path, origin: Origin, subject: str) -> Problem:
    path = (*head, *(part for part in error["loc"] if part != "[key]"))
    message = _SAID.get(error["type"], error["msg"].removeprefix("Value error, "))
    return _problem(message, path, origin, subject)


def _problem(message: str, path: Path, origin: Origin, subject: str) -> Problem:
    return Problem(message, path, origin.file, origin.line(path), subject)


def _lines(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if path == ():
        yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key.start_mark.line + 1
            yield from _lines(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index))
