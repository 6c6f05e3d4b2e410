"""Static files under an address that changes with their content, so that browsers may keep them for ever.

One digest covers the whole tree: ES modules import each other by relative address, and so stay inside it.
"""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response

STATIC = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
DIGEST_LENGTH = 16  # hex digits: 64 bits are far beyond the number of releases

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Assets:
    """The files below ``ui/static``, listed once at start."""

    def __init__(self, root: Path = STATIC) -> None:
        """Read all files once for their digest."""
        self._files = {p.relative_to(root).as_posix(): p for p in sorted(root.rglob("*")) if p.is_file()}
        self.digest = _digest(self._files)

    def path(self, name: str) -> str:
        """Address of a file below the base path.

        Raises:
            KeyError: there is no such file.
        """
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    def router(self) -> APIRouter:
        """Routes below ``/static``."""
        routes = APIRouter(include_in_schema=False)
        routes.add_api_route("/static/{digest}/{name:path}", self._serve, methods=["GET", "HEAD"])
        return routes

    async def _serve(self, digest: str, name: str) -> Response:
        file = self._files.get(name)
        if file is None:
            return PlainTextResponse("404 page not found\n", status_code=404)
        # A page loaded before an upgrade still asks by its old digest: give it the file, but not for ever.
        caching = FOR_EVER if digest == self.digest else REVALIDATE
        media_type = MEDIA_TYPES.get(file.suffix) or mimetypes.guess_type(name)[0] or "text/plain"
        return FileResponse(
            file,
            media_type=media_type,
            headers={"Cache-Control": caching, "X-Content-Type-Options": "nosniff"},
        )


def _digest(files: dict[str, Path]) -> str:
    content = hashlib.sha256()
    for name, path in files.items():
        content.update(f"{name}\0{path.stat().st_size}\0".encode())
        content.update(path.read_bytes())
    return content.hexdigest()[:DIGEST_LENGTH]
