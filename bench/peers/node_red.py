"""Node-RED: file → json → function → function, without an editor. One process, one core; arrival is its only time.

`rules` puts as many function nodes behind the json node, each with its own limit; only the first is ever passed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measuring import Durability, free_port
from bench.peers.lane import Outcome
from bench.peers.streams import JOBS, is_there, job, now_there, run

NODE_RED = "4.1.15"
START = "global.get('start')(); return { filename: global.get('source') };"
JUDGE = """
const { id, time, value } = msg.payload ?? {};
if (typeof id !== 'string' || !Number.isFinite(time) || !Number.isFinite(value)) return;
const above = context.get('above');
if (value <= LIMIT) { above.delete(id); return; }
const since = above.get(id);
if (since === undefined) above.set(id, time);
else if (time - since >= 60000) { above.set(id, Infinity); return { payload: id }; }
"""
LAST = "if (msg.parts?.count) return {};"  # the end of the file is an empty line, which is no JSON
FINISH = "global.get('finish')(flow.get('alerts'));"


def flow(rules: int) -> list[dict[str, Any]]:
    """The nodes and their wires."""
    judges = [f"judge{number}" for number in range(rules)]
    nodes = [
        node("begin", "inject", ["start"], once=True, onceDelay=1, props=[]),
        function("start", ["file"], START),
        node("file", "file in", ["json"], filename="filename", filenameType="msg", format="lines", encoding="utf8"),
        node("json", "json", judges, property="payload", action="obj"),
        *(
            function(name, ["keep"], judge(number), "context.set('above', new Map());")
            for number, name in enumerate(judges)
        ),
        function("keep", [], "flow.get('alerts').push(msg.payload);", "flow.set('alerts', []);"),
        node("malformed", "catch", ["last"], scope=["json"]),
        function("last", ["finish"], LAST),
        function("finish", [], FINISH),
    ]
    return [{"id": "tab", "type": "tab", "label": "above"}, *nodes]


def judge(number: int) -> str:
    return JUDGE.replace("LIMIT", str(80 if number == 0 else 120 + number))


def node(name: str, kind: str, to: list[str], **more: Any) -> dict[str, Any]:
    return {"id": name, "z": "tab", "type": kind, "wires": [to], "x": 0, "y": 0, **more}


def function(name: str, to: list[str], code: str, first: str = "") -> dict[str, Any]:
    return node(name, "function", to, func=code, outputs=1, initialize=first)


@dataclass
class NodeRed:
    rules: int = 1
    durability: Durability = "volatile"
    home: Path = Path()

    @property
    def name(self) -> str:
        return "Node-RED" if self.rules == 1 else f"Node-RED, {self.rules} functions"

    def prepare(self, home: Path) -> None:
        self.home = home.with_name("node-red")
        if not is_there(self.home, NODE_RED):
            run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(self.home), f"node-red@{NODE_RED}"])
            now_there(self.home, NODE_RED)

    def version(self) -> str:
        return NODE_RED

    def run(self, folder: Path) -> Outcome:
        place = self.home / f"user-{self.rules}"
        place.mkdir(exist_ok=True)
        (place / "flows.json").write_text(json.dumps(flow(self.rules)))
        red = str(self.home / "node_modules" / "node-red" / "red.js")
        words = ["node", red, "--userDir", str(place), "--settings", str(JOBS / "node_red_settings.js"), "flows.json"]
        return job(words, folder, 0, more={"PORT": str(free_port())})
