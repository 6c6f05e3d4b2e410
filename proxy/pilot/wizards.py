"""The wizards' API: what a form shows of a service, and what it would change. ``/apply`` applies it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool

from proxy.api.base import Model
from proxy.config.apply import judge
from proxy.config.collection import Collection
from proxy.config.objects import ConfigObject, Key
from proxy.config.revisions import Change, Revision, diff
from proxy.pilot import forms
from proxy.pilot.answers import NOT_FOUND, UNPROCESSABLE, answered, failed
from proxy.pilot.judgement import preview
from proxy.pilot.server import Pilot
from proxy.registry.model import Service
from proxy.wizards.forms import Kind
from proxy.wizards.subject import Subject, subject
from proxy.wizards.wizard import KINDS, changed, shown
from vigla.errors import BadInput, NotFound

Json = dict[str, Any]


class Asked(BaseModel):
    """A form filled in.

    Attributes:
        service: name, or host name.
        values: of the form; see ``proxy.wizards.forms``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespace: str
    service: str
    values: dict[str, Any]


def add(routes: APIRouter, pilot: Pilot) -> None:
    """Add the routes."""

    @routes.get("/wizards")
    async def wizards(namespace: Annotated[str, Query()], service: Annotated[str, Query()]) -> Response:
        """Every wizard's form as it is configured now; ``problem`` says why one cannot be used."""
        try:
            return answered(await run_in_threadpool(_described, pilot, namespace, service))
        except NotFound as error:
            return failed(NOT_FOUND, "NotFound", str(error))

    @routes.post("/wizards/{kind}")
    async def wizard(kind: Kind, asked: Asked) -> Response:
        """The objects that a form asks for, as YAML, as a diff, and with what is found about them."""
        try:
            return answered(await run_in_threadpool(_changes, pilot, kind, asked))
        except NotFound as error:
            return failed(NOT_FOUND, "NotFound", str(error))
        except ValidationError as error:
            fields = [_field(each) for each in error.errors(include_url=False)]
            return answered(
                {"error": {"code": "BadInput", "message": fields[0]["message"]}, "fields": fields},
                UNPROCESSABLE,
            )
        except BadInput as error:
            return failed(UNPROCESSABLE, "BadInput", str(error))


def _described(pilot: Pilot, namespace: str, name: str) -> Json:
    service = _service(pilot, namespace, name)
    found: Json = {
        "namespace": service.namespace,
        "service": service.name,
        "host": service.hostname,
        "ports": [{"name": p.name, "number": p.number, "protocol": str(p.protocol)} for p in service.ports],
    }
    try:
        about = subject(service, pilot.store.current(), pilot.domain)
    except BadInput as error:
        return {**found, "versions": [], "wizards": {kind: {"problem": str(error)} for kind in KINDS}}
    return {
        **found,
        "versions": about.versions,
        "virtual_service": _name(about.virtual_service),
        "destination_rule": _name(about.destination_rule),
        "wizards": {kind: _shown(kind, about) for kind in KINDS},
    }


def _shown(kind: Kind, about: Subject) -> Json:
    try:
        return {"values": shown(kind, about).model_dump(mode="json")}
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        return {"problem": f"what is configured does not fit this form ({where}): edit it by hand"}
    except BadInput as error:
        return {"problem": str(error)}


def _changes(pilot: Pilot, kind: Kind, asked: Asked) -> Json:
    service = _service(pilot, asked.namespace, asked.service)
    current = pilot.store.current()
    documents = changed(kind, asked.values, subject(service, current, pilot.domain))
    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
    objects, problems = judge(text, "", service.namespace)
    return {
        "yaml": text if documents else "",
        "diff": diff(_revision(pilot.store.number(), current, objects)),
        "objects": [str(each.key) for each in objects],
        "problems": [forms.problem(each) for each in problems],
        "messages": [forms.finding(each) for each in preview(pilot.collection(), objects)],
    }


def _revision(number: int, current: Collection, objects: Sequence[ConfigObject[Model]]) -> Revision:
    """What applying them would be."""
    changes = [Change(each.key, _document(current, each.key), each.document) for each in objects]
    return Revision(number + 1, datetime.now(UTC), "", "", tuple(changes))


def _document(current: Collection, key: Key) -> Mapping[str, object] | None:
    before = current.by_key.get(key)
    return None if before is None else before.document


def _service(pilot: Pilot, namespace: str, name: str) -> Service:
    for service in pilot.world().services:
        if service.namespace == namespace and name in {service.name, service.hostname}:
            return service
    raise NotFound(f"the mesh has no service {namespace}/{name}")


def _name(document: Json | None) -> str:
    return "{namespace}/{name}".format(**document["metadata"]) if document else ""


def _field(error: Any) -> Json:
    """The place inside the form, and what is wrong there."""
    message = str(error["msg"]).removeprefix("Value error, ")
    return {"field": ".".join(str(part) for part in error["loc"]), "message": message}
