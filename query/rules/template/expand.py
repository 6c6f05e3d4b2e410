"""The text that a template makes of data."""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from query.rules.template.ast import (
    Body,
    Branch,
    Call,
    Dot,
    Field,
    Function,
    Jump,
    Literal,
    Operand,
    Output,
    Pipe,
    Template,
    TemplateError,
    Text,
    Variable,
)
from query.rules.template.functions import Environment, Sample, functions, truthy
from query.rules.template.numbers import spelled
from query.rules.template.parser import parse

MAX_OUTPUT = 1 << 20  # characters
MAX_DEPTH = 100
_parsed = lru_cache(1000)(parse)

Data = Mapping[str, Any]


def expand(text: str, data: Data, environment: Environment) -> str:
    """Expand a template.

    Args:
        text: of the template.
        data: ``Labels``, ``ExternalLabels``, ``ExternalURL``, ``Value``; also set as ``$labels`` and so on.
        environment: what functions need.

    Raises:
        TemplateError: the template is wrong, or its query fails.
    """
    if "{{" not in text:
        return text
    return _Expansion(_parsed(text), data, functions(environment)).text()


class _Jumped(Exception):
    """``break`` or ``continue`` was met."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class _Expansion:
    def __init__(self, template: Template, data: Data, known: Mapping[str, Callable[..., Any]]) -> None:
        self._template = template
        self._functions = known
        self._data = data
        self._variables: ChainMap[str, Any] = ChainMap(
            {name[0].lower() + name[1:]: value for name, value in data.items()} | {"": data}
        )
        self._written: list[str] = []
        self._size = 0
        self._depth = 0

    def text(self) -> str:
        self._body(self._template.body, self._data)
        return "".join(self._written)

    def _body(self, body: Body, dot: Any) -> None:
        outer, self._variables = self._variables, self._variables.new_child()
        try:
            for node in body:
                match node:
                    case Text(text):
                        self._write(text)
                    case Output(pipe):
                        value = self._pipe(pipe, dot)
                        if not pipe.names:
                            self._write(spelled(value))
                    case Branch():
                        self._branch(node, dot)
                    case Jump(kind):
                        raise _Jumped(kind)
                    case Call():
                        self._call(node, dot)
        finally:
            self._variables = outer

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_OUTPUT:
            raise TemplateError(f"the text is longer than {MAX_OUTPUT} characters")
        self._written.append(text)

    def _branch(self, node: Branch, dot: Any) -> None:
        outer, self._variables = self._variables, self._variables.new_child()
        try:
            value = self._pipe(node.pipe, dot)
            if not truthy(value):
                self._body(node.other, dot)
            elif node.kind == "range":
                self._range(node, value)
            else:
                self._body(node.body, value if node.kind == "with" else dot)
        finally:
            self._variables = outer

    def _range(self, node: Branch, value: Any) -> None:
        for key, element in _elements(value):
            for name, each in zip(reversed(node.pipe.names), (element, key), strict=False):
                self._variables[name] = each
            try:
                self._body(node.body, element)
            except _Jumped as jump:
                if jump.kind == "break":
                    break

    def _call(self, node: Call, dot: Any) -> None:
        body = self._template.defined.get(node.name)
        if body is None:
            raise TemplateError(f'template "{node.name}" not defined')
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TemplateError("exceeded maximum template depth")
        inner = self._pipe(node.pipe, dot) if node.pipe else None
        outer, self._variables = self._variables, ChainMap({"": inner})
        self._body(body, inner)
        self._variables = outer
        self._depth -= 1

    def _pipe(self, pipe: Pipe, dot: Any) -> Any:
        given: tuple[Any, ...] = ()
        for command in pipe.commands:
            given = (self._command(command, dot, given),)
        for name in pipe.names:
            if pipe.declares:
                self._variables[name] = given[0]
            else:
                self._assign(name, given[0])
        return given[0]

    def _assign(self, name: str, value: Any) -> None:
        for scope in self._variables.maps:
            if name in scope:
                scope[name] = value
                return
        raise TemplateError(f'undefined variable "${name}"')

    def _command(self, command: tuple[Operand, ...], dot: Any, given: tuple[Any, ...]) -> Any:
        first, *rest = command
        if not isinstance(first, Function):
            if rest or given:
                raise TemplateError("can't give argument to non-function")
            return self._operand(first, dot)
        arguments = [*(self._operand(each, dot) for each in rest), *given]
        try:
            return self._functions[first.name](*arguments)
        except (TypeError, AttributeError, ValueError, KeyError) as error:
            if isinstance(error, TemplateError):
                raise
            raise TemplateError(f"error calling {first.name}: {error}") from error

    def _operand(self, operand: Operand, dot: Any) -> Any:
        match operand:
            case Literal(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                if name not in self._variables:
                    raise TemplateError(f'undefined variable "${name}"')
                return self._variables[name]
            case Function():
                return self._command((operand,), dot, ())
            case Field(base, name):
                return _field(self._operand(base, dot), name)
            case Pipe():
                return self._pipe(operand, dot)


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, "")
    if isinstance(value, Sample) and name in {"Labels", "Value"}:
        return value.Labels if name == "Labels" else value.Value
    raise TemplateError(f"can't evaluate field {name} in {spelled(value)}")


def _elements(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return iter(sorted(value.items()))
    if isinstance(value, int) and not isinstance(value, bool):
        return ((number, number) for number in range(value))
    if isinstance(value, list | tuple):
        return enumerate(value)
    raise TemplateError(f"range can't iterate over {spelled(value)}")
