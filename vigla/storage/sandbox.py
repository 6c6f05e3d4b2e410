"""Lets a user's SQL read the lake's tables and nothing else.

Two layers, each sufficient against files and the network on its own:

1. ``check`` parses the text with the engine itself and walks the syntax tree against allow-lists
   (``vigla.storage.sandbox_functions``): one SELECT, over named tables, calling pure functions. What the walk
   does not know, it refuses.
2. ``harden`` takes from the engine the ability to read outside the lake's directory, to load extensions and
   to change its own configuration.

Source: DuckDB 1.5 ``json_serialize_sql`` and "Securing DuckDB" (https://duckdb.org/docs/current/operations_manual).
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson

from vigla.errors import QueryError
from vigla.storage.sandbox_functions import (
    FORMATTING,
    FUNCTIONS,
    MAX_SIZE,
    SIZED,
    TABLE_FUNCTIONS,
    WIDE,
)

MAX_TEXT_CHARACTERS = (
    100_000  # the parser's memory grows with the text, and nobody writes a longer query by hand
)

Node = dict[str, Any]
_Visit = tuple[Any, frozenset[str]]  # a value of the tree, and the names WITH defines for it

_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
_TABLES = frozenset(
    {"BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION"}
)
_EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "OPERATOR",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "WINDOW",
    }
)
_MODIFIERS = frozenset({"DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER"})
_ORDERS = frozenset({"ASCENDING", "DESCENDING", "ORDER_DEFAULT"})
_NODES = _QUERIES | _TABLES | _MODIFIERS | _ORDERS

# Never the name of a WITH: what the engine could take for a file, an address or a catalog entry of its own.
_PLAIN_NAME = re.compile(r"(?!duckdb_|pragma_|pg_|sqlite_|ducklake_|__)\w+", re.ASCII | re.IGNORECASE)


def check(connection: duckdb.DuckDBPyConnection, text: str, tables: frozenset[str]) -> None:
    """Refuse a text that is not one read-only query over ``tables``.

    Args:
        connection: any connection of the engine that will execute the text; used to parse it only.
        text: what the user wrote.
        tables: lower-case names of tables and views the query may read, unqualified.

    Raises:
        QueryError: says what is not allowed, where it stands, and what to write instead.
    """
    if "\0" in text:
        raise QueryError("the query contains a NUL character")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise QueryError(f"the query is longer than {MAX_TEXT_CHARACTERS} characters")
    _check_statement(connection, text)
    _Walk(text, tables).run(_tree(connection, text))


def harden(connection: duckdb.DuckDBPyConnection, data_directory: Path) -> None:
    """Confine an engine to ``data_directory`` for good; every connection of the same engine is bound by it.

    Call once, after extensions are loaded and other settings are made, before the lake is attached: databases
    below the directory can be attached afterwards, settings cannot be changed any more.
    """
    connection.execute("SET allowed_directories = ?", [[str(data_directory.resolve())]])
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET allow_community_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _check_statement(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    if not statements:
        raise QueryError("the query is empty")
    kinds = [statement.type.name for statement in statements]
    if "CREATE" in kinds and "PIVOT" in text.upper():
        raise QueryError("PIVOT needs its values written out: PIVOT .. ON service IN ('a', 'b') USING ..")
    if len(kinds) > 1:
        raise QueryError(f"one statement at a time: the text has {len(kinds)}")
    if kinds[0] != "SELECT":
        raise QueryError(
            f"only SELECT is allowed, not {kinds[0].replace('_', ' ')}: queries cannot change anything"
        )


def _tree(connection: duckdb.DuckDBPyConnection, text: str) -> Node:
    row = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchone()
    if row is None:
        raise QueryError("the query cannot be checked")
    try:
        tree = orjson.loads(row[0])
    except orjson.JSONDecodeError as error:
        raise QueryError("the query is nested too deeply to be checked") from error
    if tree["error"]:
        # PRAGMA counts as a SELECT for the parser and shows itself only here.
        raise QueryError(f"only SELECT is allowed: {tree['error_message']}")
    (statement,) = tree["statements"]
    node: Node = statement["node"]
    return node


class _Walk:
    """One pass over a syntax tree. ``scope`` holds the names that WITH defines for a node."""

    def __init__(self, text: str, tables: frozenset[str]) -> None:
        self._text = text
        self._tables = tables

    def run(self, tree: Node) -> None:
        # A stack, not recursion: the depth of a tree is the user's choice.
        pending: list[_Visit] = [(tree, frozenset())]
        while pending:
            value, scope = pending.pop()
            if isinstance(value, list):
                pending.extend((item, scope) for item in value)
            elif isinstance(value, dict):
                pending.extend(self._children(value, scope))

    def _children(self, node: Node, scope: frozenset[str]) -> Iterator[_Visit]:
        self._check_kind(node)
        kind = node.get("type")
        if "class" not in node:
            if kind == "BASE_TABLE":
                self._check_table(node, scope)
            elif kind == "TABLE_FUNCTION":
                # The call is checked here against its own list, so only its arguments are left to visit.
                self._check_table_function(node["function"])
                yield node["function"]["children"], scope
                return
            elif kind == "SHOW_REF":
                self._check_show(node)
        elif "function_name" in node:
            self._check_function(node)
        if "cte_map" in node:
            scope = yield from self._with(node["cte_map"]["map"], scope)
        for name, child in node.items():
            if name == "cte_map" or not isinstance(child, dict | list):
                continue
            recursive = kind == "RECURSIVE_CTE_NODE" and name == "right"
            yield child, scope | {node["cte_name"].lower()} if recursive else scope

    def _with(self, entries: list[Node], scope: frozenset[str]) -> Generator[_Visit, None, frozenset[str]]:
        """Visit WITH entries in order: each sees those before it; its own name in it is a table's."""
        for entry in entries:
            if not _PLAIN_NAME.fullmatch(entry["key"]):
                raise QueryError(
                    f'WITH "{entry["key"]}": use letters, digits and _ in the name, no reserved prefix'
                )
            yield entry["value"], scope
            scope |= {entry["key"].lower()}
        return scope

    def _check_kind(self, node: Node) -> None:
        kind = node.get("class", node.get("type"))
        if isinstance(kind, str) and "class" in node:
            if kind == "PARAMETER":
                raise QueryError(f"write values into the query instead of parameters{self._where(node)}")
            if kind not in _EXPRESSIONS:
                raise QueryError(f"{kind.lower()} expressions are not allowed{self._where(node)}")
        elif isinstance(kind, str) and kind not in _NODES and not kind.endswith("_TYPE_INFO"):
            raise QueryError(f"{kind} is not allowed{self._where(node)}")
        if node.get("pivot_enum"):
            raise QueryError("PIVOT needs its values written out: PIVOT .. ON service IN ('a', 'b') USING ..")

    def _check_table(self, node: Node, scope: frozenset[str]) -> None:
        name = node["table_name"]
        if node["schema_name"] or node["catalog_name"]:
            raise QueryError(f"tables are named without a schema{self._where(node)}: {self._offer()}")
        if node["at_clause"] is not None:
            raise QueryError(f"AT (VERSION ..) is not allowed{self._where(node)}")
        if name.lower() not in scope | self._tables:
            raise QueryError(f'there is no table "{name}"{self._where(node)}: {self._offer()}')

    def _check_table_function(self, call: Node) -> None:
        name = call["function_name"].lower()
        if name not in TABLE_FUNCTIONS:
            raise QueryError(
                f"the table function {name}() is not allowed{self._where(call)}: {self._offer()}"
            )

    def _check_function(self, node: Node) -> None:
        name = node["function_name"].lower()
        if name not in FUNCTIONS:
            raise QueryError(f"there is no function {name}() for queries{self._where(node)}")
        if name in SIZED or name in FORMATTING:
            self._check_size(name, node)

    def _check_size(self, name: str, node: Node) -> None:
        where = self._where(node)
        if node["schema"]:  # x.repeat(9) is repeat(x, 9): the positions would be others
            raise QueryError(f"call {name}() with all its arguments in the parentheses{where}")
        arguments = [_constant(child) for child in node["children"]]
        if name in FORMATTING:
            picture = next(iter(arguments), None)
            if not isinstance(picture, str) or re.search(WIDE, picture):
                raise QueryError(f"{name}() needs a format written out, without wide fields{where}")
            return
        sizes = [arguments[at] for at in SIZED[name] if at < len(arguments)]
        if not all(isinstance(size, int) and abs(size) <= MAX_SIZE for size in sizes):
            instead = f", or FROM {name}(..)" if name in TABLE_FUNCTIONS else ""
            raise QueryError(f"{name}() takes numbers up to {MAX_SIZE:,} written out{instead}{where}")

    def _check_show(self, node: Node) -> None:
        if node["query"] is None:
            raise QueryError(f"{self._offer()}; DESCRIBE one of them for its columns")

    def _offer(self) -> str:
        return f"the tables are {', '.join(sorted(self._tables))}"

    def _where(self, node: Node) -> str:
        """Line and column of a node; the engine counts bytes, and gives 2^64-1 where it does not know."""
        encoded = self._text.encode()
        location = node.get("query_location", len(encoded))
        if location >= len(encoded):
            return ""
        before = encoded[:location].decode(errors="replace")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        return f" (line {line}, column {column})"


def _constant(node: Node) -> Any:
    """The value of a literal; None for everything else."""
    return node["value"]["value"] if node["class"] == "CONSTANT" and not node["value"]["is_null"] else None
