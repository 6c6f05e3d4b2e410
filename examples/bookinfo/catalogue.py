"""catalogue: a service of somebody else, outside the mesh."""

import json

from bookinfo.web import Answer, Handler, Request, work

LOOKUP_MS = 20


def book(request: Request) -> Answer:
    """One book."""
    work(LOOKUP_MS)
    return Answer(200, json.dumps({"id": request.parameters["product"], "publisher": "PublisherA"}))


ROUTES: dict[str, Handler] = {"/books/{product}": book}
