"""A real browser before a running house: the system's Chromium, wide and narrow, signed in as any role.

Each test fails when a page it opened broke the content policy, wrote an error to the console or asked another host.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from browsing import ARGUMENTS, CHROMIUM, NARROW, WIDE, Served, Watch, serve, sign_in
from house import open_house

from cheng.infrastructure.clock import Clock
from needs import need


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house with one account a role."""
    hub = open_house(tmp_path_factory.mktemp("house"), Clock())
    yield from serve(hub)
    hub.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    need("browser", CHROMIUM is not None, "Chromium is not on this machine")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


Open = Callable[..., Page]


@pytest.fixture(scope="session")
def signed_in_as(served: Served) -> dict[str, Any]:
    """Role → what a browser keeps of its sign-in: once for all tests. Who signs out again calls `sign_in` itself."""
    return {}


@pytest.fixture
def open_page(browser: Browser, served: Served, signed_in_as: dict[str, Any]) -> Iterator[Open]:
    """open_page("/desk", role="officer", narrow=True, lang="en", dark=True) → a page; complaints fail the test."""
    contexts: list[BrowserContext] = []
    watch = Watch(served.url)

    def open_(
        path: str = "/",
        role: str = "",
        narrow: bool = False,
        lang: str = "",
        dark: bool = False,
        javascript: bool = True,
        base: str = "",
    ) -> Page:
        signed_in = signed_in_as.get(role) if not base else None
        context = browser.new_context(
            storage_state=signed_in,
            viewport=NARROW if narrow else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            base_url=base or served.url,
            locale="zh-CN",
            reduced_motion="reduce",
        )
        contexts.append(context)
        if lang:
            context.add_cookies([{"name": "cheng_language", "value": lang, "url": base or served.url}])
        page = context.new_page()
        watch.over(page)
        if role and not signed_in:
            sign_in(page, role)
            kept = [cookie for cookie in context.cookies() if "session" in str(cookie.get("name"))]
            signed_in_as[role] = {"cookies": kept, "origins": []}
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not watch.complaints, "\n".join(watch.complaints)


@pytest.fixture
def wide(open_page: Open) -> Page:
    return open_page()


@pytest.fixture
def narrow(open_page: Open) -> Page:
    return open_page(narrow=True)
