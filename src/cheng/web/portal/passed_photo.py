"""The one photo of a case whose link another city was sent with it: nothing else of the case hangs on that link."""

from litestar import Response

from cheng.infrastructure.photos import bare
from cheng.standards.problems import Refused
from cheng.web.pages import PUBLIC, Answer, Ask, get


@get("/passed-on/{key:str}", needs=PUBLIC, section="portal", opt={"uncompressed": True})
def photo(ask: Ask, key: str) -> Answer:
    """The photo, without its camera's notes. Refused (404) when there is none behind the link."""
    sha256 = ask.hub.passings.photo(key)
    if not sha256:
        raise Refused("no-file", "This file is not there or is damaged.", status=404)
    with ask.hub.store.read() as conn:
        blob = ask.hub.blobs.find(conn, sha256)
    headers = dict(blob.headers) | {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
    media_type = headers.pop("Content-Type")
    return Response(bare(ask.hub.blobs.read(sha256)), media_type=media_type, headers=headers)


routes = [photo]
