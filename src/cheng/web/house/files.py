"""Our own style, scripts and pictures."""

from typing import Any

from litestar import Request, Response

from cheng.standards.problems import Refused
from cheng.web.assets import FOR_EVER, Asset, Assets
from cheng.web.pages import PUBLIC, Answer, get


def sent(request: Request[Any, Any, Any], asset: Asset, for_ever: bool) -> Answer:
    """A file, compressed where the browser likes, or 304 when it has it already."""
    headers = {"ETag": asset.etag, "Cache-Control": FOR_EVER if for_ever else "public, max-age=300"}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    encoding, body = asset.squeezed(request.headers.get("accept-encoding", ""))
    if asset.squeezable:
        headers["Vary"] = "Accept-Encoding"
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(body, headers=headers, media_type=asset.media_type)


def found(request: Request[Any, Any, Any], name: str) -> Asset:
    assets: Assets = request.app.state.templates.assets
    if name not in assets:
        message = "There is no file {name}."
        raise Refused("no-file", message, {"name": name[:200]}, status=404)
    return assets.files[name]


@get(
    "/static/{version:str}/{name:path}",
    needs=PUBLIC,
    api=True,
    opt={"static": True, "uncompressed": True},
)
async def static(request: Request[Any, Any, Any], version: str, name: str) -> Answer:
    """A file of the static folder; for ever under the present version."""
    present = version == request.app.state.templates.assets.version
    return sent(request, found(request, name.lstrip("/")), present)


@get("/favicon.ico", needs=PUBLIC, api=True, opt={"static": True, "uncompressed": True})
async def favicon(request: Request[Any, Any, Any]) -> Answer:
    """For browsers that do not read the page's own words about its icon."""
    return sent(request, found(request, "icon.svg"), for_ever=False)


@get("/robots.txt", needs=PUBLIC, api=True, opt={"static": True})
async def robots() -> Answer:
    """Machines that read the web may read what is public."""
    closed = "".join(f"Disallow: /{name}\n" for name in ("desk", "dashboard", "console", "account", "sign-in"))
    return Response(f"User-agent: *\n{closed}", media_type="text/plain; charset=utf-8")


routes = [static, favicon, robots]
