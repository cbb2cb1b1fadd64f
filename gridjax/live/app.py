"""The application: REST commands, the WebSocket of frames, and the page."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import jax
from fastapi import FastAPI, HTTPException, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import TypeAdapter, ValidationError

from gridjax.evaluation.views.messages import hello
from gridjax.live import schema
from gridjax.live.engine import Engine
from gridjax.live.guard import LARGEST_MESSAGE, SUBPROTOCOL, Guard, Tokens, client_of
from gridjax.live.limits import Bucket
from gridjax.live.settings import Settings
from gridjax.live.training import training
from gridjax.live.viewers import Viewer, Viewers

STATIC = Path(__file__).parent / "static"
_PATIENCE = 300.0  # s for a command, which may have to compile
_MESSAGES = (100, 30)  # of a viewer, per minute and at once
_TOKEN_WITHIN = 5.0  # s
_MOST_FRAMES = 2000  # of one answer
_READ: TypeAdapter[Any] = TypeAdapter(schema.ViewerMessage)
_UNFIT: dict[int | str, dict[str, Any]] = {400: {"model": schema.Problem}, 503: {"model": schema.Problem}}


def create_app(engine: Engine, settings: Settings, run: Path | None = None) -> FastAPI:
    """The application around an engine, which it begins and closes."""
    viewers, tokens = Viewers(engine), Tokens(settings.token)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        viewers.attach(asyncio.get_running_loop())
        engine.begin()
        try:
            yield
        finally:
            await asyncio.to_thread(engine.close)

    app = FastAPI(
        title="gridjax live",
        version=version("gridjax"),
        description="Agents run a grid. Frames come over the WebSocket /ws/grid, see gridjax/live/schema.py.",
        lifespan=lifespan,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        responses={422: {"model": schema.Problem}},
    )
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_middleware(Guard, settings=settings, tokens=tokens)
    _health(app, engine)
    _commands(app, engine, viewers)
    _reads(app, engine, viewers, run)

    @app.websocket("/ws/grid")
    async def grid(socket: WebSocket) -> None:
        if len(viewers) >= settings.most_viewers:
            await socket.close(1013)
            return
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
        with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError):
            if not socket.scope["state"]["authorised"] and not await _authorised(socket, tokens):
                await socket.close(1008)
                return
            viewer, replayed = viewers.join(_since(socket, engine))
            try:
                await socket.send_json(_hello(engine, viewers, replayed))
                await _first_of(viewers.serve(viewer, socket), _listen(socket, viewers, viewer))
            finally:
                viewers.leave(viewer)

    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    return app


def _health(app: FastAPI, engine: Engine) -> None:
    @app.get("/healthz", responses={503: {"model": schema.Health}})
    def healthz(response: Response) -> schema.Health:
        """Whether the process works."""
        if engine.alive:
            return schema.Health(status="ok")
        response.status_code = 503
        return schema.Health(status="failed", detail="the simulation has ended")

    @app.get("/readyz", responses={503: {"model": schema.Health}})
    def readyz(response: Response) -> schema.Health:
        """Whether everything is compiled, so that a start shows at once."""
        if engine.ready.is_set() and engine.alive:
            return schema.Health(status="ok")
        response.status_code = 503
        return schema.Health(status="starting")


def _commands(app: FastAPI, engine: Engine, viewers: Viewers) -> None:
    async def do(command: Callable[[], Any]) -> schema.Status:
        """Run a command between two steps, and answer with what has become of the status."""
        try:
            await asyncio.wait_for(asyncio.wrap_future(engine.submit(command)), _PATIENCE)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        except (TimeoutError, RuntimeError) as error:
            raise HTTPException(503, "the simulation does not answer") from error
        return schema.Status(**viewers.status())

    post = partial(app.post, responses=_UNFIT)

    @post("/api/simulation/start")
    async def start(body: schema.Start | None = None) -> schema.Status:
        """Start, or go on after a pause."""
        given = body or schema.Start()
        return await do(lambda: engine.start(given.speed, given.seed))

    @post("/api/simulation/stop")
    async def stop() -> schema.Status:
        """Stop; the next start begins the episode again."""
        return await do(engine.stop)

    @post("/api/simulation/pause")
    async def pause() -> schema.Status:
        """Pause; a start goes on."""
        return await do(engine.pause)

    @post("/api/simulation/step")
    async def step() -> schema.Status:
        """One step, and a pause."""
        return await do(engine.step)

    @post("/api/simulation/reset")
    async def reset() -> schema.Status:
        """Begin the first episode of the seed again."""
        return await do(engine.reset)

    @post("/api/simulation/speed")
    async def speed(body: schema.SetSpeed) -> schema.Status:
        return await do(lambda: engine.speed(body.speed))

    @post("/api/simulation/seed")
    async def seed(body: schema.SetSeed) -> schema.Status:
        """Begin the first episode of a seed."""
        return await do(lambda: engine.seed(body.seed))

    @post("/api/simulation/scenario")
    async def scenario(body: schema.SetScenario) -> schema.Status:
        """Begin an episode of a scenario."""
        return await do(lambda: engine.scenario(body.scenario))

    @post("/api/simulation/policy")
    async def policy(body: schema.SetPolicy) -> schema.Status:
        """Another policy in a lane. A comparison begins the episode again."""
        return await do(lambda: engine.policy(body.policy, body.lane))

    @post("/api/simulation/weights")
    async def weights(body: schema.SetWeights) -> schema.Status:
        """Weights of the reward that is shown; policies stay what they are."""
        return await do(lambda: engine.weights(body.weights))


def _reads(app: FastAPI, engine: Engine, viewers: Viewers, run: Path | None) -> None:
    @app.get("/api/status")
    async def status() -> schema.Status:
        return schema.Status(**viewers.status())

    @app.get("/api/agents")
    async def agents() -> schema.Agents:
        view = engine.world.view
        return schema.Agents.model_validate(
            {"agents": view.agents, "grid": view.grid, "now": engine.agents_now}
        )

    @app.get("/api/history", response_model=schema.History)
    def history(
        first: Annotated[int, Query(alias="from", ge=0, le=2**31 - 1)] = 0,
        last: Annotated[int, Query(alias="to", ge=0, le=2**31 - 1)] = 2**31 - 1,
    ) -> Response:
        """Frames that are kept in memory, at most 2000 of them: the oldest of what is asked for."""
        texts = [text for _, text in engine.kept.between(first, last, _MOST_FRAMES)]
        head = {"session": engine.session, "first": engine.kept.first, "last": engine.kept.last}
        # frames are JSON already
        body = json.dumps(head)[:-1] + ', "frames": [' + ",".join(texts) + "]}"
        return Response(body, media_type="application/json")

    @app.get("/api/events")
    async def events() -> schema.Events:
        """The newest thousand events, the oldest first."""
        return schema.Events.model_validate({"session": engine.session, "events": list(engine.events)})

    @app.get("/api/policies")
    def policies() -> schema.Policies:
        found = [{"name": e.name, "kind": e.kind, "text": e.text} for e in engine.catalogue.entries()]
        return schema.Policies.model_validate({"policies": found})

    @app.get("/api/training")
    def curves() -> schema.Training:
        """Curves and checkpoints of the run directory, as far as training has come."""
        return schema.Training.model_validate(training(run))


def _hello(engine: Engine, viewers: Viewers, replayed: bool) -> dict[str, Any]:
    device, status = jax.devices()[0], viewers.status()
    return hello(
        engine.world.view,
        server={"version": version("gridjax"), "jax": jax.__version__, "device": device.device_kind},
        session=engine.session,
        policies=engine.catalogue.names(),
        scenarios=list(engine.scenarios.names),
        days=list(engine.scenarios.days),
        state=status,
        weights=status["weights"],
        hertz=engine.settings.hertz,
        replayed=replayed,
    )


def _since(socket: WebSocket, engine: Engine) -> int | None:
    """Where a viewer of this session left off."""
    since = socket.query_params.get("since", "")
    mine = socket.query_params.get("session") == engine.session
    return int(since) if mine and since.isascii() and since.isdigit() and len(since) < 10 else None


async def _authorised(socket: WebSocket, tokens: Tokens) -> bool:
    """Whether the first message, within five seconds, brings the token."""
    try:
        message = _READ.validate_json(await asyncio.wait_for(_text(socket), _TOKEN_WITHIN))
        good = isinstance(message, schema.Authenticate) and tokens.right(message.token)
    except (ValidationError, TimeoutError):
        good = False
    if not good:
        tokens.may_fail(client_of(socket.scope))
        await socket.send_json(_error("unauthorised", "a token is needed"))
    return good


async def _unfit(_: Request, error: Exception) -> JSONResponse:
    """What a request has wrong, without repeating it: NaN is no JSON."""
    assert isinstance(error, RequestValidationError)
    found = [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors()[:5]]
    return JSONResponse({"detail": "; ".join(found)[:600]}, 422)


def _place(location: Sequence[Any]) -> str:
    return ".".join(str(part)[:60] for part in location[:4])


async def _listen(socket: WebSocket, viewers: Viewers, viewer: Viewer) -> None:
    """Answer a viewer's messages, until it sends more than it may."""
    bucket = Bucket(*_MESSAGES)
    while True:
        text = await _text(socket)
        if not bucket.take():
            await socket.send_json(_error("too_many", "too many messages"))
            await socket.close(1008)
            return
        if len(text) > LARGEST_MESSAGE:
            viewer.note(_error("too_large", f"a message has more than {LARGEST_MESSAGE} bytes"))
            continue
        try:
            message = _READ.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            viewer.note(_error("bad_message", f"{_place(first['loc'])}: {first['msg']}"[:300]))
            continue
        if isinstance(message, schema.Resume) and not viewers.resume(viewer, message.since):
            viewer.note(_error("refused", f"there is no frame {message.since} yet"))


async def _text(socket: WebSocket) -> str:
    """The next message; what is not text reads as an empty one."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    return message.get("text") or ""


async def _first_of(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends; the others are cancelled, and what it raised is raised."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _error(code: str, message: str) -> dict[str, Any]:
    return {"schema": schema.VERSION, "type": "error", "code": code, "message": message}
