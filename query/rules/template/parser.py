"""Templates from text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from query.rules.template.ast import (
    Body,
    Branch,
    Call,
    Dot,
    Field,
    Function,
    Jump,
    Literal,
    Node,
    Operand,
    Output,
    Pipe,
    Template,
    TemplateError,
    Text,
    Variable,
)
from query.rules.template.functions import NAMES
from query.rules.template.lexer import Action, Token, pieces

_BRANCHES = {"if", "with", "range"}
_WORDS: dict[str, Literal] = {"true": Literal(True), "false": Literal(False), "nil": Literal(None)}


def parse(text: str) -> Template:
    """The template.

    Raises:
        TemplateError: with the line.
    """
    defined: dict[str, Body] = {}
    reader = _Pieces(list(pieces(text)), defined)
    body = reader.body(())
    return Template(body, defined)


@dataclass(slots=True)
class _Pieces:
    """Text and actions that are still to be read."""

    all: Sequence[str | Action]
    defined: dict[str, Body]
    at: int = 0
    ended: str = ""
    """The word that ended the last body."""
    left: "_Tokens | None" = None
    """What stands behind an ``else``."""

    def body(self, until: Sequence[str]) -> Body:
        """Nodes up to one of these words."""
        nodes: list[Node] = []
        while self.at < len(self.all):
            piece = self.all[self.at]
            self.at += 1
            if isinstance(piece, str):
                if piece:
                    nodes.append(Text(piece))
                continue
            tokens = _Tokens(piece.tokens, piece.line)
            word = tokens.next_word()
            if word in until:
                self.ended, self.left = word, tokens
                return tuple(nodes)
            nodes += self._action(word, tokens)
        if until:
            raise TemplateError("unexpected EOF: an {{end}} is missing")
        return tuple(nodes)

    def _action(self, word: str, tokens: "_Tokens") -> list[Node]:
        if word in _BRANCHES:
            return [self._branch(word, tokens)]
        if word in {"break", "continue"} and tokens.peek(1).kind == "end":
            return [Jump(word)]
        if word in {"template", "define", "block"}:
            tokens.take()
            return self._named(word, tokens)
        if word in {"end", "else"}:
            raise TemplateError(f"line {tokens.line}: unexpected {{{{{word}}}}}")
        return [Output(tokens.whole_pipe())]

    def _branch(self, kind: str, tokens: "_Tokens") -> Branch:
        tokens.take()
        pipe = tokens.whole_pipe()
        body = self.body(("end", "else"))
        other: Body = ()
        if self.ended == "else" and self.left is not None:
            self.left.take()
            word = self.left.next_word()
            other = (self._branch(word, self.left),) if word in {"if", "with"} else self.body(("end",))
        return Branch(kind, pipe, body, other)

    def _named(self, word: str, tokens: "_Tokens") -> list[Node]:
        name = tokens.take()
        if name.kind != "string":
            raise TemplateError(f'line {tokens.line}: unexpected "{name.text}" in {word} clause')
        pipe = tokens.whole_pipe() if tokens.peek().kind != "end" else None
        if word == "template":
            return [Call(name.text, pipe)]
        self.defined[name.text] = self.body(("end",))
        return [Call(name.text, pipe)] if word == "block" else []


@dataclass(slots=True)
class _Tokens:
    """The tokens of one action."""

    all: Sequence[Token]
    line: int
    at: int = field(default=0)

    def peek(self, ahead: int = 0) -> Token:
        """A token that stays."""
        return self.all[min(self.at + ahead, len(self.all) - 1)]

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self.at += 1
        return token

    def next_word(self) -> str:
        """The word that stands next, empty if none does."""
        return self.peek().text if self.peek().kind == "word" else ""

    def whole_pipe(self) -> Pipe:
        """The pipe that is all the rest."""
        pipe = self.pipe()
        if self.peek().kind != "end":
            raise self._unexpected()
        return pipe

    def pipe(self) -> Pipe:
        """Commands separated by ``|``."""
        names, declares = self._declared()
        commands = [self._command()]
        while self.peek().text == "|" and self.peek().kind == "mark":
            self.take()
            commands.append(self._command())
        return Pipe(tuple(commands), names, declares)

    def _declared(self) -> tuple[tuple[str, ...], bool]:
        ahead, names = 0, []
        while self.peek(ahead).kind == "variable":
            names.append(self.peek(ahead).text[1:])
            mark = self.peek(ahead + 1).text
            if mark in {":=", "="}:
                self.at += ahead + 2
                return tuple(names), mark == ":="
            if mark != ",":
                break
            ahead += 2
        return (), False

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while not (self.peek().kind == "end" or (self.peek().kind == "mark" and self.peek().text in "|)")):
            operands.append(self._operand())
        if not operands:
            raise TemplateError(f"line {self.line}: missing value for command")
        return tuple(operands)

    def _operand(self) -> Operand:
        token = self.take()
        made = self._base(token)
        while self.peek().kind == "field" and not self.peek().spaced:
            made = Field(made, self.take().text[1:])
        return made

    def _base(self, token: Token) -> Operand:
        match token.kind:
            case "string":
                return Literal(token.text)
            case "number":
                return Literal(_number(token.text))
            case "variable":
                return Variable(token.text[1:])
            case "field":
                return Field(Dot(), token.text[1:])
            case "word":
                return self._word(token.text)
            case _:
                return self._mark(token.text)

    def _word(self, text: str) -> Operand:
        if text in _WORDS:
            return _WORDS[text]
        if text in NAMES:
            return Function(text)
        raise TemplateError(f'line {self.line}: function "{text}" not defined')

    def _mark(self, text: str) -> Operand:
        if text == ".":
            return Dot()
        if text != "(":
            self.at -= 1
            raise self._unexpected()
        pipe = self.pipe()
        if self.take().text != ")":
            raise TemplateError(f"line {self.line}: unclosed left paren")
        return pipe

    def _unexpected(self) -> TemplateError:
        return TemplateError(f'line {self.line}: unexpected "{self.peek().text}" in command')


def _number(text: str) -> float:
    """Whole numbers stay so: ``printf "%d" 3``."""
    if "x" in text.lower():
        return int(text, 16)
    return int(text) if text.lstrip("+-").isdigit() else float(text)
