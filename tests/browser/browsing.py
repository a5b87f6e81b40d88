"""What tests with a browser share: a house that answers on a port, and eyes for what is wrong with a page."""

import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from house import PASSWORD

from cheng.web.app import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
EXPECTED = ("the server responded with a status of 4", "Status Error Code 4", "net::ERR_ABORTED", "frame-ancestors")
OFF_LINE = ("net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")
"""Console lines that a test of refusals brings about on purpose; and one of lost networks."""


@dataclass
class Served:
    """A house and where it answers."""

    hub: Any
    url: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(uvicorn.Server):
    """uvicorn in a thread of the tests; it leaves the signals alone."""

    def install_signal_handlers(self) -> None:
        return


def serve(hub: Any, *more: Any) -> Iterator[Served]:
    """Run the application of a hub on a free port until the caller is done; `more` is passed on to `create_app`."""
    port = free_port()
    config = uvicorn.Config(create_app(hub, *more), "127.0.0.1", port, log_level="warning", ws="none", loop="asyncio")
    server = Server(config)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    ready = threading.Event()
    started = server.startup

    async def startup(*args: Any, **kwargs: Any) -> None:
        await started(*args, **kwargs)
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    thread.start()
    assert ready.wait(20), "the house did not start"
    try:
        yield Served(hub, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class Watch:
    """What a browser complained of."""

    host: str
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", self.line)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self.request)

    def line(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(word in message.text for word in (*EXPECTED, *OFF_LINE)):
            self.complaints.append(f"{message.type}: {message.text}")

    def request(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:", "blob:")):
            self.complaints.append(f"another host was asked: {request.url}")


def sign_in(page: Page, name: str, password: str = PASSWORD, prefix: str = "") -> None:
    page.goto(f"{prefix}/sign-in")
    page.locator("#f-name").fill(name)
    page.locator("#f-password").fill(password)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def axe(page: Page) -> list[str]:
    """What a blind, a colour-blind or a keyboard reader would stumble over, WCAG 2.2 AA; empty when nothing."""
    tags = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    found = Axe().run(page, options={"runOnly": tags})
    return [
        f"{violation['id']}: {violation['help']} — {node['html'][:160]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def sideways(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def shot(page: Page, name: str) -> None:
    """A picture for people to look at, when CHENG_SHOTS names a folder."""
    if folder := os.environ.get("CHENG_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
