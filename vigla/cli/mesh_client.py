"""The mesh's HTTP API, as the command line calls it."""

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from vigla.client import Unreachable
from vigla.errors import BadInput, ViglaError

BASE = "/api/vigla/v1/mesh"
TIMEOUT_S = 30.0
UNPROCESSABLE = 422


class Refused(ViglaError):
    """The server refused a configuration; ``problems`` says why, field by field."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(f"nothing was applied: {len(problems)} problems")
        self.problems = problems


@dataclass(slots=True)
class MeshClient:
    """One server. A context manager; calls raise ViglaError with the server's message."""

    url: str
    _http: httpx.Client | None = None

    def __enter__(self) -> Self:
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S)
        return self

    def __exit__(self, *_: object) -> None:
        if self._http is not None:
            self._http.close()

    def answers(self) -> bool:
        """Whether the server is up and has a mesh."""
        try:
            self.get("/revisions", limit=1)
        except Unreachable:
            return False
        return True

    def get(self, path: str, **parameters: str | int) -> Any:
        """The JSON of an answer."""
        return self._call("GET", path, parameters).json()

    def text(self, path: str) -> str:
        """The text of an answer."""
        return self._call("GET", path, {}).text

    def post(self, path: str, **parameters: str | int) -> Any:
        """The JSON of an answer."""
        return self._call("POST", path, {"author": _user(), **parameters}).json()

    def delete(self, path: str) -> Any:
        """The JSON of an answer."""
        return self._call("DELETE", path, {"author": _user()}).json()

    def apply(self, text: str, file: str, namespace: str, *, dry_run: bool = False) -> Any:
        """Apply a YAML text.

        Raises:
            Refused: something in it is wrong.
        """
        parameters = {
            "file": file,
            "namespace": namespace,
            "author": _user(),
            "dry_run": str(dry_run).lower(),
        }
        return self._call("POST", "/apply", parameters, text.encode()).json()

    def _call(
        self, method: str, path: str, parameters: Mapping[str, str | int], content: bytes = b""
    ) -> httpx.Response:
        if self._http is None:
            raise RuntimeError("enter the client before calling it")
        headers = {"Content-Type": "application/yaml"} if content else {}
        try:
            answer = self._http.request(
                method, BASE + path, params=dict(parameters), content=content, headers=headers
            )
        except httpx.TransportError as error:
            raise Unreachable(
                f"no vigla with a mesh answers at {self.url} ({error}): start `vigla serve --xds-port 15010`"
            ) from error
        if answer.is_success:
            return answer
        raise _failure(answer)


def _failure(answer: httpx.Response) -> ViglaError:
    try:
        body = answer.json()
    except ValueError:
        return ViglaError(f"{answer.request.url} answered {answer.status_code}: {answer.text[:200]}")
    if answer.status_code == UNPROCESSABLE and "problems" in body:
        return Refused(body["problems"])
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return BadInput(str(error.get("message")))
    hint = "has this vigla a mesh? start it with --xds-port 15010"
    return ViglaError(f"{answer.request.url} answered {answer.status_code}: {hint}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process whose user has no name
        return "unknown"
