"""Is the house alive, is it ready, what has it counted: for whoever watches machines."""

from typing import Any

from litestar import Request, Response

from cheng.infrastructure.store import reachable
from cheng.web.metrics import exposition, samples
from cheng.web.pages import PUBLIC, Answer, get


@get("/healthz", needs=PUBLIC, api=True)
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", needs=PUBLIC, api=True)
def readyz(request: Request[Any, Any, Any]) -> Answer:
    """The store answers, and whatever else the hub waits for: 200, or 503 with what is missing."""
    hub = request.app.state.hub
    missing = [] if reachable(hub.store) else ["store"]
    waiting = getattr(hub, "waiting_for", None)
    missing += list(waiting()) if callable(waiting) else []
    body = {"status": "ready" if not missing else "not ready", "missing": missing}
    return Response(body, status_code=503 if missing else 200, headers={"Cache-Control": "no-store"})


@get("/metrics", needs=PUBLIC, api=True)
def metrics(request: Request[Any, Any, Any]) -> Answer:
    """Counters and gauges in Prometheus' text form."""
    state = request.app.state
    text = exposition(samples(state.hub, state.counts))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


routes = [healthz, readyz, metrics]
