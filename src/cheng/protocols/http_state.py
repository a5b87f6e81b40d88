"""The present state of one thing for programs: GET /api/things/{id}/state, from memory."""

from contextlib import suppress
from hashlib import blake2b
from typing import Any

import msgspec

from cheng.hub import Hub
from cheng.infrastructure.latest import last_values
from cheng.kernel.entities import Kept
from cheng.security.actors import Actor
from cheng.security.permissions import decide
from cheng.security.seen import cleared, fields_seen, state_of, target
from cheng.standards.problems import Refused

JSON = b"application/json"
openapi_paths = {
    "/api/things/{id}/state": {
        "get": {
            "summary": "The present state of a thing",
            "description": "What the register says of it and its last good values, as far as the reader may see them. "
            "Answered from memory; with If-None-Match 304 while nothing changed.",
            "tags": ["things"],
            "security": [{"token": []}],
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {
                "200": {"description": "The state.", "content": {"application/json": {"schema": {"type": "object"}}}},
                "304": {"description": "As it was."},
                "401": {"description": "No valid token."},
                "404": {"description": "There is no such thing, or none for this reader."},
            },
        }
    }
}


class States:
    """Answers questions for the present state of things."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._fields: dict[tuple[str, frozenset[str]], dict[str, Kept]] = {}

    def answer(self, actor: Actor, thing: str, known: str) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
        """Status, headers and content; None when there is nothing for this reader. `known` is If-None-Match."""
        state = self.state(actor, thing)
        if state is None:
            return None
        content = msgspec.json.encode(state)
        tag = f'"{blake2b(content, digest_size=9).hexdigest()}"'
        headers = [(b"etag", tag.encode()), (b"cache-control", b"private, no-cache"), (b"vary", b"authorization")]
        if known and (known == "*" or tag in known):
            return 304, headers, b""
        headers += [(b"content-type", JSON), (b"content-length", b"%d" % len(content))]
        return 200, [*headers, (b"x-content-type-options", b"nosniff")], content

    def state(self, actor: Actor, name: str) -> dict[str, Any] | None:
        """The thing as its page tells it; None when there is none, or none for this reader."""
        hub = self.hub
        thing = hub.things.find(name)
        entity = hub.model.entities.get(thing.type) if thing is not None else None
        if thing is None or entity is None or not decide(actor, "see", target(thing, entity)).allowed:
            return None
        fields = self._seen(thing.type, cleared(actor))
        return state_of(thing, fields, last_values(hub, thing, fields), hub.settings.zone)

    def refusal(self, actor: Actor, name: str) -> Refused:
        """404: that a thing exists is no business of who may not see it. The audit knows the difference."""
        thing = self.hub.things.find(name)
        entity = self.hub.model.entities.get(thing.type) if thing is not None else None
        if thing is not None and entity is not None:
            with suppress(Refused):
                self.hub.guard.require(actor, "see", target(thing, entity))
        return Refused("not-there", "There is no thing {id}.", {"id": name[:80]}, status=404)

    def _seen(self, entity: str, levels: frozenset[str]) -> dict[str, Kept]:
        found = self._fields.get((entity, levels))
        if found is None:
            found = self._fields[entity, levels] = fields_seen(self.hub.model.entities[entity], levels)
        return found
