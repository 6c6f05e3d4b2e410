"""The mesh's HTTP API, ``/api/vigla/v1/mesh``: what the command line and the UI use."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import yaml
from cryptography import x509
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from proxy.analyze.analyzers import analyze
from proxy.config.apply import judge, refused
from proxy.config.collection import Collection
from proxy.config.objects import Key
from proxy.config.parse import DEFAULT_NAMESPACE
from proxy.config.schemas import schemas
from proxy.config.store import UnknownRevisionError
from proxy.pilot import forms, wizards
from proxy.pilot.answers import FORBIDDEN, NOT_FOUND, TOO_LARGE, UNPROCESSABLE, answered, failed
from proxy.pilot.describe import Kind, certificates, proxy_config, proxy_status
from proxy.pilot.judgement import preview
from proxy.pilot.server import Pilot

MAX_BODY_BYTES = 16 * 1024 * 1024


class Apply(BaseModel):
    """What is known about a text besides itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespace: str = Field(DEFAULT_NAMESPACE, description="of objects that name none")
    file: str = Field("", description="name of the text, for messages")
    author: str = Field("api", description="who changes it")
    message: str = Field("", description="why")
    dry_run: bool = Field(False, description="judge only")


def router(pilot: Pilot) -> APIRouter:
    """The routes of a pilot that runs in this process."""
    routes = APIRouter(prefix="/api/vigla/v1/mesh", tags=["mesh"], dependencies=[Depends(_same_site)])
    _configuration(routes, pilot)
    _objects(routes, pilot)
    _revisions(routes, pilot)
    _proxies(routes, pilot)
    wizards.add(routes, pilot)
    return routes


def _same_site(request: Request) -> None:
    """Refuse what a page of another site makes a browser send: it could change the mesh."""
    from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
    if from_elsewhere and request.method not in {"GET", "HEAD"}:
        raise HTTPException(FORBIDDEN, "requests of other sites change nothing here")


def _configuration(routes: APIRouter, pilot: Pilot) -> None:
    @routes.post("/apply")
    async def apply(request: Request, asked: Annotated[Apply, Query()]) -> Response:
        """Judge a YAML text and apply it as one revision; with any error nothing is applied (422)."""
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            message = f"more than {MAX_BODY_BYTES} bytes: apply it in parts"
            return failed(TOO_LARGE, "PayloadTooLarge", message)
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            return failed(UNPROCESSABLE, "BadInput", f"not UTF-8: {error}")
        objects, problems = await run_in_threadpool(judge, text, asked.file, asked.namespace)
        told = [forms.problem(p) for p in problems]
        if refused(problems):
            return answered({"problems": told}, UNPROCESSABLE)
        if asked.dry_run:
            found = await run_in_threadpool(preview, pilot.collection(), objects)
            messages = [forms.finding(m) for m in found]
            return answered(
                {"problems": told, "objects": [str(o.key) for o in objects], "messages": messages}
            )
        why = asked.message or f"apply {asked.file or 'a text'}"
        revision = await run_in_threadpool(pilot.store.apply, objects, asked.author, why)
        names = [str(o.key) for o in objects]
        return answered({"problems": told, "objects": names, "revision": forms.revision(revision)})

    @routes.get("/analyze")
    async def analysis() -> Response:
        """Findings about the whole configuration, with Istio's and Kiali's codes."""
        world = pilot.world()
        found = await run_in_threadpool(analyze, world.config, world.mesh)
        folder = pilot.source.problems if pilot.source else ()
        messages = [forms.finding(m) for m in found]
        return answered({"messages": messages, "files": [forms.problem(p) for p in folder]})


def _objects(routes: APIRouter, pilot: Pilot) -> None:
    @routes.get("/config")
    async def config(
        kind: str = "", namespace: str = "", name: str = "", output: Literal["json", "yaml"] = "json"
    ) -> Response:
        """Objects, as they were written; as JSON each with its namespace and origin."""
        found = _selected(pilot.store.current(), kind, namespace, name)
        if output == "yaml":
            documents = (dict(o.document) for o in found)
            text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
            return Response(text, media_type="application/yaml")
        return answered({"items": [forms.item(o) for o in found]})

    @routes.get("/schemas")
    async def described() -> Response:
        """What objects of each kind can hold, as JSON Schema."""
        return answered(schemas())

    @routes.delete("/config/{kind}/{namespace}/{name}")
    async def delete(kind: str, namespace: str, name: str, author: str = "api") -> Response:
        """Remove one object, as a revision."""
        current = pilot.store.current()
        found = _selected(current, kind, namespace, name)
        if not found:
            return failed(NOT_FOUND, "NotFound", f"there is no {kind} {namespace}/{name}")
        keys: list[Key] = [o.key for o in found]
        revision = await run_in_threadpool(pilot.store.apply, (), author, f"delete {keys[0]}", keys)
        return answered({"revision": forms.revision(revision)})


def _revisions(routes: APIRouter, pilot: Pilot) -> None:
    @routes.get("/revisions")
    async def revisions(limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Response:
        """The latest revisions, newest first."""
        found = await run_in_threadpool(pilot.store.history, limit)
        return answered({"revisions": [forms.revision(r) for r in found]})

    @routes.get("/revisions/{number}/diff")
    async def diff(number: int) -> Response:
        """What a revision changed, as a unified diff of YAML."""
        try:
            return Response(await run_in_threadpool(pilot.store.diff, number), media_type="text/plain")
        except UnknownRevisionError as error:
            return failed(NOT_FOUND, "NotFound", str(error))

    @routes.post("/revisions/{number}/rollback")
    async def rollback(number: int, author: str = "api") -> Response:
        """Make the configuration what it was at a revision, as a new one."""
        try:
            revision = await run_in_threadpool(pilot.store.rollback, number, author)
        except UnknownRevisionError as error:
            return failed(NOT_FOUND, "NotFound", str(error))
        return answered({"revision": forms.revision(revision)})


def _proxies(routes: APIRouter, pilot: Pilot) -> None:
    @routes.get("/proxies")
    async def proxies() -> Response:
        """Connected proxies and how far each is."""
        return answered({"proxies": [proxy_status(s) for s in pilot.control.status()]})

    @routes.get("/proxies/{instance}/config/{kind}")
    async def resources(instance: str, kind: Kind) -> Response:
        """Resources of a proxy as it was last offered them; of secrets only their names and dates."""
        found = proxy_config(pilot, instance, kind)
        if found is None:
            return failed(NOT_FOUND, "NotFound", f"no proxy {instance} is connected: see proxy-status")
        return answered({"resources": found})

    @routes.get("/certs")
    async def certs() -> Response:
        """The certificates that the mesh trusts, and those of connected proxies."""
        roots = [_certificate(c) for c in x509.load_pem_x509_certificates(pilot.authority.root)]
        return answered({"roots": roots, "workloads": certificates(pilot)})


def _selected(current: Collection, kind: str, namespace: str, name: str) -> list[Any]:
    return [
        o
        for key, o in sorted(current.by_key.items())
        if (not kind or key.kind.lower() == kind.lower())
        and (not namespace or key.namespace == namespace)
        and (not name or key.name == name)
    ]


def _certificate(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "subject": certificate.subject.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "valid": certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc,
    }
