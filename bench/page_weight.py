"""What the first load of each kind of page weighs: bytes over the wire, as Chromium counts them, with nothing kept.

Counted is what the page and its workers were sent (Resource Timing: the body as it came and 300 bytes for its head),
tiles of the map that come into sight too; not the stream of alerts, for it never ends.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Worker, sync_playwright

from bench.demo_city import CHROMIUM, WITHOUT_A_SCREEN, city
from bench.measuring import Figure, report

CLAIM = "First load of every kind of page: ≤ 150 kB without the map, ≤ 600 kB with it"
BARE, MAPPED = 150, 600
"""kB of a page without a map, and with one."""
LIGHT = {"/report": 100}
"""kB of pages that people open in the street."""
MAP = "maplibre-gl.js"
TEXT = re.compile(r"text/|javascript|json|svg\+xml|x-protobuf")
SENT = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .filter((each) => each.transferSize).map((each) => [each.name, each.transferSize])"""
SMALL = 1000
"""Bytes below which compressing is not worth it."""
QUIET, PATIENCE = 6, 120
"""Quarters of a second without news after which a page is there, and most of them that it may take."""
ALIVE = ("eventsource", "websocket")
PUBLIC = ("/portal", "/sign-in", "/things", "/apps", "/135", "/indicators", "/map", "/api", "/report", "/reports")
OFFICER = ("/desk", "/desk?tab=department", "/desk/alerts", "/things/Cover", "/things/Cover/cover-00001", "/account")
LEADER = ("/dashboard", "/areas", "/rules", "/desk?tab=all")
OPERATOR = (
    *("/console", "/console/inputs", "/console/storage", "/console/machine", "/console/backups", "/console/rules"),
    *("/console/refused", "/console/silent", "/console/tokens", "/console/accounts"),
)
WHO = {"": PUBLIC, "li.na": OFFICER, "leader": LEADER, "console": OPERATOR}


@dataclass
class Load:
    """What came over the wire until a page was there."""

    sizes: Counter[str] = field(default_factory=Counter)
    """address → bytes"""
    path: str = ""
    faults: list[str] = field(default_factory=list)
    """what should have been compressed, kept or asked for once, and was not"""

    @property
    def mapped(self) -> bool:
        return any(MAP in address for address in self.sizes)

    @property
    def bytes(self) -> int:
        return self.sizes.total()

    @property
    def goal(self) -> int:
        """kB that it may weigh."""
        return MAPPED if self.mapped else LIGHT.get(self.path, BARE)

    @property
    def fits(self) -> bool:
        return self.bytes <= 1000 * self.goal

    def read(self, frame: Page | Worker) -> None:
        """Adds what one of them was sent."""
        for address, size in frame.evaluate(SENT):
            if address in self.sizes and "/static/" in address:
                self.faults.append(f"sent twice: {address}")
            self.sizes[address] += size

    def check(self, request: Request) -> None:
        """Whether an answer was compressed and may be kept."""
        answer = request.response()
        heads = answer.all_headers() if answer is not None else {}
        plain = "content-encoding" not in heads and TEXT.search(heads.get("content-type", "")) is not None
        if plain and int(heads.get("content-length", 0)) > SMALL:
            self.faults.append(f"not compressed: {request.url}")
        if "/static/" in request.url and "immutable" not in heads.get("cache-control", ""):
            self.faults.append(f"not kept for ever: {request.url}")


def first_load(page: Page, address: str) -> Load:
    """Opens an address in a page whose context has seen nothing yet, and waits until nothing more comes."""
    ended: list[Request] = []
    under_way: set[Request] = set()
    page.on("request", lambda request: request.resource_type in ALIVE or under_way.add(request))
    page.on("requestfinished", lambda request: (under_way.discard(request), ended.append(request)))
    page.on("requestfailed", lambda request: under_way.discard(request))
    page.goto(address)
    quiet = known = 0
    for _ in range(PATIENCE):
        page.wait_for_timeout(250)
        quiet = quiet + 1 if len(ended) == known and not under_way else 0
        known = len(ended)
        if quiet == QUIET:
            break
    load = Load(path=urlsplit(address).path)
    for request in ended:
        if request.resource_type not in ALIVE:
            load.check(request)
    for frame in (page, *page.workers):
        load.read(frame)
    return load


def weighed(browser: Browser, url: str, paths: Iterable[str], cookie: tuple[str, str] | None) -> Iterator[Figure]:
    for path in paths:
        context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN")
        if cookie is not None:
            context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": url}])
        yield told(path, first_load(context.new_page(), url + path))
        context.close()


def told(path: str, load: Load) -> Figure:
    heaviest = ", ".join(
        f"{address.rpartition('/')[2].partition('?')[0]} {size / 1000:.0f}"
        for address, size in load.sizes.most_common(3)
    )
    note = "; ".join([f"{len(load.sizes)} answers, most: {heaviest}", *load.faults])
    holds = load.fits and not load.faults
    return Figure(f"first load of `{path}`", f"≤ {load.goal} kB", "kB", [load.bytes / 1000], holds, note)


def main() -> None:
    if CHROMIUM is None:
        print("Not measured: there is no Chromium on this machine.")
        return
    with city() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=WITHOUT_A_SCREEN)
        for account, paths in WHO.items():
            report(*weighed(browser, home.url, paths, home.cookie(account) if account else None))
        browser.close()


if __name__ == "__main__":
    main()
