"""Bookinfo as ``vigla demo`` runs it, on ports that nobody uses."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.mesh.mesh import eventually
from vigla.cli.bookinfo import STANDARD_PORTS, Bookinfo, Ports
from vigla.listen import reserve

PAGES_A_SECOND = 5.0  # as the demo's own
START_S = 120.0
TRACES = 40  # enough that every version of reviews is in some


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo. Use ``running``.

    Attributes:
        url: of the pages.
    """

    url: str

    @contextmanager
    def applied(self, *texts: str) -> Iterator[None]:
        """The configuration with these objects, while inside; then it is again as it was."""
        with httpx.Client(base_url=f"{self.url}/api/vigla/v1/mesh", timeout=30) as api:
            before = api.get("/revisions", params={"limit": 1}).json()["revisions"][0]["number"]
            for text in texts:
                answer = api.post("/apply", content=text)
                assert answer.status_code == httpx.codes.OK, answer.text
            try:
                yield
            finally:
                api.post(f"/revisions/{before}/rollback").raise_for_status()

    def yaml(self, kind: str, name: str) -> str:
        """An object as it is stored."""
        query = {"kind": kind, "namespace": "default", "name": name, "output": "yaml"}
        return httpx.get(f"{self.url}/api/vigla/v1/mesh/config", params=query, timeout=30).text

    def traces(self) -> list[str]:
        """Ids of the newest product pages, at most ``TRACES``."""
        query = {"service": "productpage", "limit": TRACES, "lookback": "1h"}
        answer = httpx.get(f"{self.url}/api/traces", params=query, timeout=30)
        assert answer.status_code == httpx.codes.OK, answer.text
        return [trace["traceID"] for trace in answer.json()["data"]]


@contextmanager
def running(directory: Path) -> Iterator[Demo]:
    """Start it; inside, many pages were opened. Their metrics come half a minute later."""
    bookinfo = Bookinfo(directory, _free_ports(), PAGES_A_SECOND)
    demo = Demo(bookinfo.ports.url("http"))

    def is_up() -> bool:
        bookinfo.check()
        return bookinfo.is_ready() and bookinfo.has_trace() and len(demo.traces()) == TRACES

    try:
        bookinfo.start()
        assert eventually(is_up, within_s=START_S)
        yield demo
    finally:
        bookinfo.stop()


def _free_ports() -> Ports:
    with ExitStack() as held:
        chosen = {name: held.enter_context(reserve()).getsockname()[1] for name in STANDARD_PORTS}
    return Ports(chosen, ())
