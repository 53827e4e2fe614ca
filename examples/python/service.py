"""Face recognition over HTTP, for several tenants: enrol, identify, erase.

    pip install faceprint onnxruntime fastapi uvicorn
    export FACEPRINT_GALLERY=people.faceprint FACEPRINT_PASSPHRASE='correct horse battery staple'
    export FACEPRINT_TOKENS='{"acme": "a long random token", "globex": "another"}'
    uvicorn --app-dir examples/python --factory service:create_app --workers 2

Each bearer token opens one tenant; nobody can name another. A picture is the body of a request, JPEG, PNG, WebP or BMP;
a device that embeds by itself sends JSON, {"values": [...], "space": "..."}, so that no picture leaves it.

    curl -H "Authorization: Bearer $TOKEN" --data-binary @alice.jpg      localhost:8000/subjects/alice/templates
    curl -H "Authorization: Bearer $TOKEN" --data-binary @camera.jpg     localhost:8000/identify
    curl -H "Authorization: Bearer $TOKEN" -X DELETE                     localhost:8000/subjects/alice

Every worker process opens the gallery itself; what one enrolled the others find at once. Names, templates and pictures
are never logged: errors carry numbers only, and the access log (which has paths, and so names) is off.
"""

import contextlib
import hmac
import json
import logging
import os
from collections.abc import AsyncIterator
from typing import Annotated

import fastapi
from fastapi import Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

import faceprint
from faceprint import Added, Engine, Gallery, ModelPack, Rejected, Sample, Template, Tenant

#: Bytes of a request, at most, and pixels of its picture.
MAX_BYTES = 8 << 20
MAX_PIXELS = 25_000_000

#: What a mistake of the caller's is in HTTP.
STATUS = {
    faceprint.SubjectNotFoundError: 404,
    faceprint.LimitExceededError: 413,
    faceprint.LimitReachedError: 409,
    faceprint.LockedError: 503,
    faceprint.UsageError: 422,
}


class Service:
    """What a worker process keeps open."""

    def __init__(self, gallery: str, passphrase: str, tokens: dict[str, str]) -> None:
        self.pack = ModelPack.bundled()
        self.engine = Engine(self.pack, policy="enrollment")
        self.gallery = self.open(gallery, passphrase)
        self.tenants = {token: self.gallery.tenant(name) for name, token in tokens.items()}

    def open(self, path: str, passphrase: str) -> Gallery:
        """The gallery, which the first worker makes."""
        try:
            return Gallery.create(path, space=self.pack.space, passphrase=passphrase)
        except faceprint.GalleryExistsError:
            return Gallery.open(path, passphrase=passphrase)

    def tenant(self, token: str) -> Tenant | None:
        """Whose token it is. Every token is compared in full, so that the time tells nothing."""
        given = token.encode()
        matching = [it for known, it in self.tenants.items() if hmac.compare_digest(known.encode(), given)]
        return matching[0] if matching else None

    def sample(self, body: bytes, kind: str) -> Sample | Template:
        """The face in a request: of a picture, or a vector."""
        if kind.startswith("application/json"):
            try:
                given = json.loads(body)
                return Template(given["values"], given["space"])
            except (KeyError, TypeError, ValueError) as error:
                raise HTTPException(422, 'a vector is {"values": [...], "space": "..."}') from error
        match self.engine.capture(faceprint.Image.decode(body, max_pixels=MAX_PIXELS)):
            case Rejected(issues):
                raise HTTPException(422, [{"issue": it.name, "message": str(it)} for it in issues])
            case sample:
                return sample


def create_app(
    gallery: str | None = None, passphrase: str | None = None, tokens: dict[str, str] | None = None
) -> fastapi.FastAPI:
    """The application; what is not given is in the environment."""

    @contextlib.asynccontextmanager
    async def lifespan(app: fastapi.FastAPI) -> AsyncIterator[None]:
        # Here and not at import: a server that forks has its workers by now.
        service = await run_in_threadpool(
            Service,
            gallery or os.environ["FACEPRINT_GALLERY"],
            passphrase or os.environ["FACEPRINT_PASSPHRASE"],
            tokens or json.loads(os.environ["FACEPRINT_TOKENS"]),
        )
        app.state.service = service
        with service.gallery:
            yield

    logging.getLogger("uvicorn.access").disabled = True
    app = fastapi.FastAPI(title="faceprint", lifespan=lifespan)

    def tenant_of(request: Request) -> Tenant:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        service: Service = request.app.state.service
        tenant = service.tenant(token.strip()) if scheme.lower() == "bearer" else None
        if tenant is None:
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        return tenant

    # The token is looked at before the first byte of the body is.
    Whose = Annotated[Tenant, Depends(tenant_of)]

    async def sample_of(request: Request, _: Whose) -> Sample | Template:
        body = bytearray()
        async for chunk in request.stream():  # whatever Content-Length says
            body += chunk
            if len(body) > MAX_BYTES:
                raise HTTPException(413, f"a request has {MAX_BYTES} bytes at most")
        service: Service = request.app.state.service
        return await run_in_threadpool(service.sample, bytes(body), request.headers.get("content-type", ""))

    Face = Annotated[Sample | Template, Depends(sample_of, use_cache=False)]

    @app.exception_handler(faceprint.FaceprintError)
    async def failed(_: Request, error: faceprint.FaceprintError) -> JSONResponse:
        status = next((it for kind, it in STATUS.items() if isinstance(error, kind)), 500)
        detail = str(error) if status < 500 else "the request failed"
        return JSONResponse({"detail": detail, "code": error.code}, status)

    # Handlers are ordinary functions: they run on worker threads, and calls let go of the GIL.
    @app.post("/subjects/{subject}/templates", status_code=201, response_model=None)
    def enroll(subject: str, tenant: Whose, face: Face) -> JSONResponse:
        match tenant.enroll(subject, face):
            case Added(template):
                return JSONResponse({"template": template}, 201)
            case duplicate:
                return JSONResponse({"detail": "somebody else looks the same", "similarity": duplicate.similarity}, 409)

    @app.post("/identify", response_model=None)
    def identify(
        request: Request,
        tenant: Whose,
        face: Face,
        top: Annotated[int, Query(ge=1, le=100)] = 1,
        fpir: Annotated[float, Query(gt=0, lt=1)] = 0.01,
    ) -> JSONResponse:
        pack: ModelPack = request.app.state.service.pack
        templates = sum(it.templates for it in tenant.spaces() if it.space == pack.space)
        threshold = pack.threshold_for(fpir, max(1, templates)).similarity
        hits = tenant.identify(face, at_least=threshold, top=top)
        found = [{"subject": hit.subject, "similarity": hit.similarity} for hit in hits]
        return JSONResponse({"hits": found, "threshold": threshold})

    @app.get("/subjects")
    def subjects(tenant: Whose) -> list[str]:
        return tenant.subjects()

    @app.delete("/subjects/{subject}")
    def erase(subject: str, tenant: Whose) -> dict[str, int]:
        erased = tenant.erase(subject)
        return {"subjects": erased.subjects, "templates": erased.templates}

    @app.get("/health")
    def health(request: Request) -> dict[str, str]:
        return {"backend": str(request.app.state.service.engine.backend.name)}

    return app
