"""The door for `cheng` on the same machine, and for loading things from afar.

A hub that runs owns its data folder; `cheng load`, `cheng try` and `cheng backup` then speak to it here, with the
secret it left in the folder. `POST /ingest/things` is open to every token that may load: NDJSON, one thing a line;
so are `POST /ingest/refused`, for rows of files that could not be read where the file lies, and `POST
/ingest/base-map?source=NAME`, for features of the base map as Parquet. `POST /ingest/classes` takes tables of classes
of cases from whoever may load those, `POST /ingest/cases` cases that another system kept, `POST /ingest/articles` what
agents know.
"""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.loading import ArticleTable, CaseTable, ClassTable, Taken
from cheng.loading_targets import ARTICLE_TABLE, BASE_MAP, CASE_TABLE, CLASS_TABLE, HereTarget, RefusedRows
from cheng.protocols.decoding import decode
from cheng.protocols.http import JSON, Asgi, Receive, Scope, Send, body, respond, tell_problem, unpacked
from cheng.security.actors import HOUSE, Actor
from cheng.standards.base_map import Features
from cheng.standards.problems import InputError, Refused, SpecError

Errands = dict[str, Callable[..., Any]]
"""What the house can be asked to do by its own folder's owner: name → function of the hub and named arguments."""
OPEN = ("/ingest/things", "/ingest/refused", BASE_MAP)
"""To everybody who may load."""
TABLES = {CLASS_TABLE: "class", CASE_TABLE: "case", ARTICLE_TABLE: "article"}
"""To everybody who may load that kind of object."""
PATHS = (*OPEN, *TABLES, "/local/readings", "/local/errands")
LAST_LINE = 2**31 - 1
"""What the store can hold."""
LONGEST_NAME = 60
"""Of a source of the base map, in characters: it becomes the name of a file."""
Table = TypeVar("Table")
"""A form in which rows are sent."""
ROW = msgspec.json.Decoder(NewThing)


class LocalDoor:
    """Answers PATHS; hands everything else to `others`. `secret` is what the data folder holds."""

    def __init__(self, hub: Hub, others: Asgi, secret: str, errands: Errands) -> None:
        self.hub, self.others, self.secret, self.errands = hub, others, secret, errands
        self.loading = HereTarget(hub)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(self.hub.settings.root_path)
        if scope["type"] != "http" or path not in PATHS:
            await self.others(scope, receive, send)
            return
        try:
            answer = await self._answer({**scope, "path": path}, receive)
        except SpecError as error:
            answer = {"problems": [str(problem) for problem in error.problems]}
            await respond(send, 422, JSON, msgspec.json.encode(answer))
        except Exception as error:
            await tell_problem(send, error)
        else:
            await respond(send, 200, JSON, msgspec.json.encode(answer))

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        headers = dict(scope["headers"])
        if scope["method"] != "POST":
            raise Refused("method", "Send what you bring by POST.", status=405)
        actor = self._actor(headers)
        path = scope["path"]
        if path in OPEN:
            self.hub.guard.require(actor, "load", "thing")
        elif path in TABLES:
            self.hub.guard.require(actor, "load", TABLES[path])
        elif actor != HOUSE:
            raise Refused("not-allowed", "Only whoever owns the data folder may come in here.", status=403)
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        parts = await body(receive, headers)
        payload = await asyncio.to_thread(lambda: unpacked(b"".join(parts), encoding))
        takers = {"/ingest/things": self._things, CLASS_TABLE: self._classes, CASE_TABLE: self._cases}
        take = (takers | {ARTICLE_TABLE: self._articles}).get(path)
        if take is not None:
            return told(await asyncio.to_thread(take, payload, actor))
        if path == "/ingest/refused":
            return await asyncio.to_thread(self._refused, payload, actor)
        if path == BASE_MAP:
            source = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("source", [""])[0]
            return told(await asyncio.to_thread(self._features, source, payload))
        if path == "/local/readings":
            media_type = headers.get(b"content-type", b"").decode("latin-1")
            return told(await asyncio.to_thread(self._readings, payload, media_type))
        return {"answer": await asyncio.to_thread(self._errand, payload)}

    def _actor(self, headers: dict[bytes, bytes]) -> Actor:
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self.secret.encode()):
            return HOUSE
        actor = self.hub.tokens.actor(token.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise Refused("token", "Send a valid token: Authorization: Bearer cheng_…", status=401)
        return actor

    def _things(self, payload: bytes, actor: Actor) -> Taken:
        """Registers what a payload brings; keeps what is refused, unless `cheng load` will send it as it stood."""
        rows: list[NewThing] = []
        refused: list[InputError] = []
        sent: dict[int | None, bytes] = {}
        for line, text in enumerate(payload.split(b"\n"), 1):
            if not text.strip():
                continue
            try:
                row = ROW.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                wanted = 'a line is {"id": "…", "type": "…", "name": "…", "properties": {…}, "geometry": {…}}'
                refused.append(InputError("not-understood", f"{error}; {wanted}", line))
                sent[line] = text
                continue
            row.line = row.line if row.line is not None and 0 < row.line <= LAST_LINE else line
            sent[row.line] = text
            rows.append(row)
        taken = self.loading.things(rows, actor.name)
        taken.refused = sorted([*taken.refused, *refused], key=lambda error: error.line or 0)
        if actor != HOUSE:
            kept = [(error, sent.get(error.line, b"")) for error in taken.refused]
            self.hub.refused.keep("things", actor.name, kept)
        return taken

    def _features(self, source: str, payload: bytes) -> Taken:
        """Puts features on the base map under the name of their source."""
        if not source or len(source) > LONGEST_NAME:
            raise InputError("no-source", "say whose features these are: /ingest/base-map?source=NAME")
        try:
            features = Features.of_parquet(payload)
        except ValueError as error:
            raise InputError("not-understood", str(error)) from error
        return self.loading.features(source, features)

    def _classes(self, payload: bytes, actor: Actor) -> Taken:
        """Takes classes of cases, or who answers for them."""
        table = understood(payload, ClassTable, "is a kind, a flow and rows")
        taken = self.loading.classes(table, actor.name)
        if actor != HOUSE:
            self.hub.refused.keep(table.kind, actor.name, [(error, b"") for error in taken.refused])
        return taken

    def _cases(self, payload: bytes, actor: Actor) -> Taken:
        """Takes cases that another system kept."""
        table = understood(payload, CaseTable, "is a flow, a limit and records")
        taken = self.loading.cases(table, actor.name)
        if actor != HOUSE:
            sent = {record.line: record for record in table.records}
            kept = [(error, msgspec.json.encode(sent.get(error.line or 0))) for error in taken.refused]
            self.hub.refused.keep("cases", actor.name, kept)
        return taken

    def _articles(self, payload: bytes, actor: Actor) -> Taken:
        """Takes articles of what agents know."""
        table = understood(payload, ArticleTable, "is a file and its rows")
        taken = self.loading.articles(table, actor.name)
        if actor != HOUSE:
            self.hub.refused.keep("articles", actor.name, [(error, b"") for error in taken.refused])
        return taken

    def _refused(self, payload: bytes, actor: Actor) -> dict[str, Any]:
        """Keeps rows of a file aside."""
        given = understood(payload, RefusedRows, "is a file and its rows")
        file = given.file if actor == HOUSE else f"{actor.name}: {given.file}"
        rows = [(InputError(row.code, row.reason, row.line), row.payload.encode()) for row in given.rows]
        self.hub.refused.keep("file", file, rows)
        return {"kept": len(rows)}

    def _readings(self, payload: bytes, media_type: str) -> Taken:
        reports, errors = decode(payload, media_type, self.hub.things.meanings)
        taken = self.loading.readings(reports)
        taken.add(self.loading.finish())
        taken.refused = sorted([*errors, *taken.refused], key=lambda error: error.line or 0)
        return taken

    def _errand(self, payload: bytes) -> Any:
        try:
            asked = msgspec.json.decode(payload, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError("not-understood", f"{error}; an errand is one JSON object") from error
        errand = self.errands.get(str(asked.pop("errand", "")))
        if errand is None:
            raise Refused("not-there", "The house does not know this errand.", status=404)
        return errand(self.hub, **asked)


def understood(payload: bytes, form: type[Table], wanted: str) -> Table:
    """What was sent, in the form that is wanted. InputError for anything else."""
    try:
        return msgspec.json.decode(payload, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("not-understood", f"{error}; wanted {wanted}") from error


def told(taken: Taken) -> dict[str, Any]:
    """What became of a load, as JSON."""
    lines = [{"line": e.line, "code": e.code, "reason": e.reason} for e in taken.refused]
    return {**taken.counts, "refused": lines}
