"""Reading objects from YAML: every document is judged alone, with all that is wrong with it told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import yaml
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from proxy.api.base import Model
from proxy.config.go_yaml import Document, documents
from proxy.config.kinds import KINDS, Kind
from proxy.config.objects import EPOCH, ConfigObject, Origin, Path

DEFAULT_NAMESPACE = "default"
_CREATED = TypeAdapter(AwareDatetime)
_LONGEST = 253  # of a DNS name, as Kubernetes has it
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a document, or a field of it, is refused (error) or doubtful (warning).

    Attributes:
        path: of the field; empty for the whole document.
        message: what is wrong and what to write instead.
        line: in the file, from 1; 0: not known.
        subject: the object, as ``Kind namespace/name``, as far as it is known.
        known_as: Istio's name of it where analysis has one for it, like ``VirtualServiceUnreachableRule``.
    """

    message: str
    path: Path = ()
    file: str = ""
    line: int = 0
    subject: str = ""
    severity: Severity = "error"
    known_as: str = ""

    @property
    def field(self) -> str:
        """The path as users write it: ``spec.http[0].route``."""
        return dotted(self.path)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (where, self.subject, self.field, self.message) if part)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds.

    Attributes:
        objects: those of known kind and right types, in the file's order.
        problems: of the other documents.
        ignored: kinds of documents that mean nothing here, as ``apiVersion kind``.
        warnings: about documents that were read.
    """

    objects: tuple[ConfigObject[Model], ...] = ()
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Reading:
    file: str
    namespace: str
    objects: list[ConfigObject[Model]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


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
    try:
        for document in documents(text):
            _document(reading, document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reading.problems.append(
            Problem(f"not YAML: {error.problem}", file=file, line=mark.line + 1 if mark else 0)
        )
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reading.problems.append(Problem(f"not YAML: {error}", file=file))
    return Parsed(
        tuple(reading.objects), tuple(reading.problems), tuple(reading.ignored), tuple(reading.warnings)
    )


def _document(reading: _Reading, document: Document) -> None:
    origin = Origin(reading.file, document.lines)
    if not isinstance(document.value, dict):
        message = "not an object: it needs apiVersion, kind and metadata"
        reading.problems.append(_problem(message, (), origin, ""))
        return
    if document.value.get("kind") == "List" and isinstance(document.value.get("items"), list):
        for item in document.items("items"):
            _document(reading, item)
        return
    made = read(document.value, origin, reading.namespace)
    if isinstance(made, ConfigObject):
        reading.objects.append(made)
        message = "written twice; only the last one counts: remove the others"
        for path in document.repeated:
            found = Problem(message, path, origin.file, origin.line(path), str(made.key), "warning")
            reading.warnings.append(found)
    elif isinstance(made, str):
        reading.ignored.append(made)
    else:
        reading.problems.extend(_explained(problem, document.words) for problem in made)


def _explained(problem: Problem, words: Mapping[Path, str]) -> Problem:
    """YAML's trap told as such: an unquoted word or number where a string belongs."""
    word = words.get(problem.path)
    if word is None or "string" not in problem.message:
        return problem
    return replace(problem, message=f'{word} is no string in YAML; quote it: "{word}"')


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
        message = "required" if name is None else _NO_TEXT
        return [_problem(message, ("metadata", "name"), origin, kind.name)]
    subject = f"{kind.name} {own}/{name}"
    for field_name, word in (("name", name), ("namespace", own)):
        if len(word) > _LONGEST or "\0" in word:
            message = f"write at most {_LONGEST} letters, digits, dashes and dots"
            return [_problem(message, ("metadata", field_name), origin, kind.name)]
    wrong = [_problem(message, ("metadata", *path), origin, subject) for path, message in _no_texts(metadata)]
    if wrong:
        return wrong
    content = {k: v for k, v in document.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    spec_given = document.get("spec")
    value: Any = content if kind.inline else {} if spec_given is None else spec_given
    try:
        spec = kind.spec.model_validate(value)
    except ValidationError as error:
        head: Path = () if kind.inline else ("spec",)
        found = error.errors(include_url=False, include_input=False)
        return [_refusal(e, head, origin, subject) for e in found]
    try:
        created = _CREATED.validate_python(metadata.get("creationTimestamp") or EPOCH)
    except ValidationError:
        message = "write a time with its zone, like 2026-01-31T12:00:00Z"
        return [_problem(message, ("metadata", "creationTimestamp"), origin, subject)]
    return ConfigObject(
        kind=kind,
        api_version=str(document["apiVersion"]),
        namespace=own,
        name=name,
        spec=spec,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        created=created,
        document=document,
        origin=origin,
    )


def _no_texts(metadata: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for part in ("labels", "annotations"):
        values = metadata.get(part) or {}
        if not isinstance(values, dict):
            yield (part,), "Input should be a mapping of names to strings"
            continue
        for key, value in values.items():
            if not isinstance(value, str):
                yield (part, key), _NO_TEXT


_NO_TEXT = "Input should be a valid string"
_SAID = {"extra_forbidden": "unknown field", "missing": "required"}


def _refusal(error: Any, head: Path, origin: Origin, subject: str) -> Problem:
    path = (*head, *(part for part in error["loc"] if part != "[key]"))
    message = _SAID.get(error["type"], error["msg"].removeprefix("Value error, "))
    return _problem(message, path, origin, subject)


def _problem(message: str, path: Path, origin: Origin, subject: str) -> Problem:
    return Problem(message, path, origin.file, origin.line(path), subject)
