"""``vigla apply|get|delete|analyze|history|rollback``: the mesh's configuration."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from vigla.cli.mesh_client import MeshClient, Refused
from vigla.cli.output import Output, OutputOption, console, errors, show
from vigla.client import DEFAULT_URL
from vigla.errors import SettingsError

EXIT_FINDINGS = 1
YAML_ENDINGS = frozenset({".yaml", ".yml", ".json"})

UrlOption = Annotated[str, typer.Option(help="Server with the mesh.")]
NamespaceOption = Annotated[str, typer.Option("--namespace", "-n", help="Namespace.")]
FilesOption = Annotated[
    list[Path],
    typer.Option("--file", "-f", help="YAML file or folder, - for standard input; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (apply, get, delete, analyze, history, rollback):
        app.command()(command)


def apply(
    file: FilesOption,
    *,
    namespace: NamespaceOption = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge only, and tell what the analysis would say.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Apply Istio and Kubernetes YAML: all of a file or, if anything in it is wrong, nothing."""
    refused = False
    with MeshClient(url) as client:
        for name, text in texts(file):
            try:
                answer = client.apply(text, name, namespace, dry_run=dry_run)
            except Refused as error:
                refused = True
                print_problems(error.problems)
                errors.print(f"[bold red]refused[/] {escape(name)}: nothing of it was applied")
                continue
            print_problems(answer["problems"])
            _print_findings(answer.get("messages", []))
            _print_applied(name, answer)
    if refused:
        raise typer.Exit(EXIT_FINDINGS)


def get(
    kind: Annotated[str, typer.Argument(help="VirtualService, DestinationRule, ...; all if left out.")] = "",
    name: Annotated[str, typer.Argument(help="Name.")] = "",
    *,
    namespace: NamespaceOption = "",
    output: OutputOption = Output.TABLE,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """List objects of the configuration."""
    with MeshClient(url) as client:
        items = client.get("/config", kind=kind, namespace=namespace, name=name)["items"]
    rows = [
        (
            item["kind"],
            item["metadata"].get("namespace", ""),
            item["metadata"]["name"],
            _place(item["origin"]),
        )
        for item in items
    ]
    show(_plain(items), output, ("KIND", "NAMESPACE", "NAME", "FILE"), rows)


def delete(
    kind: Annotated[str, typer.Argument(help="Kind.")],
    name: Annotated[str, typer.Argument(help="Name.")],
    *,
    namespace: NamespaceOption = "default",
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Remove an object from the configuration."""
    with MeshClient(url) as client:
        answer = client.delete(f"/config/{kind}/{namespace}/{name}")
    console.print(f"[green]deleted[/] {kind} {namespace}/{name} (revision {answer['revision']['number']})")


def analyze(
    files: Annotated[list[Path] | None, typer.Argument(help="YAML files; else what the server has.")] = None,
    *,
    output: OutputOption = Output.TABLE,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Find what is wrong or doubtful in the configuration, with Istio's (IST) and Kiali's (KIA) codes."""
    body = _analysis_of_files(files) if files else _analysis_of_server(url)
    rows = [(m["level"], m["code"], m["object"], m["text"], _place(m)) for m in body["messages"]]
    print_problems(body["files"])
    if not rows and output is Output.TABLE:
        console.print("[green]✓[/] no findings")
        return
    show(body, output, ("LEVEL", "CODE", "OBJECT", "MESSAGE", "PLACE"), rows)
    if any(m["level"] == "Error" for m in body["messages"]) or body["files"]:
        raise typer.Exit(EXIT_FINDINGS)


def history(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Revisions shown.")] = 20,
    diff: Annotated[int | None, typer.Option(help="Show what this revision changed.")] = None,
    output: OutputOption = Output.TABLE,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """List the revisions of the configuration, newest first."""
    with MeshClient(url) as client:
        if diff is not None:
            typer.echo(client.text(f"/revisions/{diff}/diff"), nl=False)
            return
        revisions = client.get("/revisions", limit=limit)["revisions"]
    rows = [
        (r["number"], r["time"][:19], r["author"], r["message"], _changes(r["changes"])) for r in revisions
    ]
    show(revisions, output, ("REVISION", "TIME (UTC)", "AUTHOR", "MESSAGE", "CHANGES"), rows)


def rollback(
    revision: Annotated[int, typer.Argument(help="Revision to go back to; 0 is the empty configuration.")],
    *,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Make the configuration what it was at a revision."""
    with MeshClient(url) as client:
        made = client.post(f"/revisions/{revision}/rollback")["revision"]
    console.print(
        f"[green]revision {made['number']}[/] is revision {revision} again: {_changes(made['changes'])}"
    )


def texts(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Name and text of each file; folders are searched.

    Raises:
        SettingsError: a file cannot be read.
    """
    for path in files:
        if str(path) == "-":
            yield "standard input", sys.stdin.read()
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix in YAML_ENDINGS) if path.is_dir() else [path]
        for one in found:
            try:
                yield str(one), one.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"cannot read {one}: {error}") from error


def print_problems(problems: list[dict[str, Any]]) -> None:
    """One line a problem, with its place."""
    for problem in problems:
        colour = "red" if problem["severity"] == "error" else "yellow"
        where = f"{problem['subject']} {problem['field']}".strip()
        place = _place(problem)
        errors.print(
            f"[{colour}]{problem['severity']}[/] {escape(place)} [bold]{escape(where)}[/]: "
            f"{escape(problem['message'])}",
            soft_wrap=True,
        )


def _print_findings(messages: list[dict[str, Any]]) -> None:
    """One line a finding: what the mesh would say, if the text were applied."""
    for m in messages:
        colour = "red" if m["level"] == "Error" else "yellow"
        level, place, about = m["level"].lower(), escape(_place(m)), escape(m["object"])
        text = f"[{colour}]{level}[/] {m['code']} {place} [bold]{about}[/]: {escape(m['text'])}"
        errors.print(text, soft_wrap=True)


def _analysis_of_server(url: str) -> dict[str, Any]:
    with MeshClient(url) as client:
        body: dict[str, Any] = client.get("/analyze")
    return body


def _analysis_of_files(files: list[Path]) -> dict[str, Any]:
    from proxy.pilot.judgement import judgement  # noqa: PLC0415  the models take a moment that others save

    return judgement(texts(files))


def _print_applied(name: str, answer: dict[str, Any]) -> None:
    if "revision" not in answer:
        console.print(f"[green]✓[/] {escape(name)}: {len(answer['objects'])} objects are right")
        return
    revision = answer["revision"]
    console.print(
        f"[green]✓[/] {escape(name)}: revision {revision['number']}, "
        f"{_changes(revision['changes']) or 'nothing changed'}"
    )


def _changes(changes: list[dict[str, Any]]) -> str:
    return ", ".join(f"{c['change']} {c['kind']} {c['namespace']}/{c['name']}" for c in changes)


def _place(origin: dict[str, Any]) -> str:
    return (
        f"{origin['file']}:{origin['line']}"
        if origin.get("file") and origin.get("line")
        else origin.get("file", "")
    )


def _plain(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in item.items() if key != "origin"} for item in items]
