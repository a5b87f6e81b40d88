"""The console in a browser: every page fits and can be read, and the numbers follow the house."""

import threading
from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways
from filled_city import fill
from playwright.sync_api import Page, expect

from cheng.backup_shelf import BACK_UP, BackupShelf
from cheng.infrastructure.progress import Progress
from cheng.intake_retry import retry_of
from cheng.protocols.intake import Intake
from cheng.standards.problems import InputError
from cheng.worker import Worker

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PAGES = (
    "/console",
    "/console/inputs",
    "/console/storage",
    "/console/machine",
    "/console/backups",
    "/console/jobs/house.tidy",
    "/console/rules",
    "/console/refused",
    "/console/silent",
    "/console/tokens",
    "/console/accounts",
    "/console/audit",
)


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [False, True])
def test_pages_fit_and_can_be_read(open_page: Open, narrow: bool) -> None:
    page = open_page("/console", "operator", narrow=narrow)
    for path in PAGES:
        page.goto(path)
        assert sideways(page) <= 0, path
        assert axe(page) == [], path
        shot(page, f"{path.strip('/').replace('/', '-')}-{'narrow' if narrow else 'wide'}")


def test_the_tiles_follow_the_house(open_page: Open, served: Served) -> None:
    page = open_page("/console", "operator")
    before = page.locator('[data-flow="accepted"]').inner_text()
    fill(served)
    expect(page.locator('[data-flow="accepted"]')).not_to_have_text(before, timeout=10_000)


def test_a_token_is_issued_and_shown_once(open_page: Open) -> None:
    page = open_page("/console/tokens", "operator", lang="en")
    page.locator("#f-name").fill("browser gateway")
    page.locator("#f-ids").fill("browsed-1")
    page.get_by_role("button", name="Issue", exact=True).click()
    expect(page.locator(".notice-done code")).to_contain_text("cheng_")
    assert axe(page) == []
    page.goto("/console/tokens")
    expect(page.locator(".notice-done")).to_have_count(0)
    expect(page.locator("table")).to_contain_text("browser gateway")


def test_inputs_follow_the_house(open_page: Open, served: Served) -> None:
    page = open_page("/console/inputs", "operator", lang="en")
    count = page.locator('[data-flow="inputs.http.readings"]')
    before = count.inner_text()
    served.hub.inputs.took("http", 1234, 1, 0.004)
    expect(count).not_to_have_text(before, timeout=10_000)
    expect(page.locator('[data-flow="inputs.http.refused_share"]')).to_contain_text("%")
    served.hub.pipeline.inbox.total = served.hub.pipeline.inbox.room
    try:
        level = page.locator('[data-flow-level="queues.under_way.level"]')
        expect(level).to_have_text("nearly full", timeout=10_000)
        assert axe(page) == []
    finally:
        served.hub.pipeline.inbox.total = 0


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [False, True])
def test_a_backup_is_made_while_one_looks(open_page: Open, served: Served, narrow: bool) -> None:
    hub = served.hub
    worker = Worker(hub)
    hub.worker, hub.backups = worker, BackupShelf(hub, worker)
    goes_on = threading.Event()

    def work(progress: Progress) -> str:
        progress.tell("Copying the store")
        goes_on.wait(60)
        return "done"

    try:
        worker.begin(BACK_UP, work)
        page = open_page("/console/backups", "operator", narrow=narrow, lang="en")
        expect(page.locator("[data-progress]")).to_contain_text("Copying the store")
        assert axe(page) == []
        assert sideways(page) <= 0
        shot(page, f"console-backup-under-way-{'narrow' if narrow else 'wide'}")
        goes_on.set()
        expect(page.locator("[data-progress]")).to_have_count(0, timeout=10_000)
        page.get_by_role("button", name="Back up now").click()
        expect(page.locator("table")).to_contain_text("cheng-", timeout=90_000)
        assert axe(page) == []
        assert sideways(page) <= 0
    finally:
        goes_on.set()
        worker.stop()
        hub.worker = hub.backups = None


def test_what_is_refused_is_mended_on_the_page(open_page: Open, served: Served) -> None:
    hub = served.hub
    hub.retry = retry_of(hub)
    Intake(hub).warm_up()
    fill(served)
    error = InputError("bad-time", "'yesterday' is no time", 1)
    hub.refused.keep("http", "gateway", [(error, b'{"id":"browsed-1","attr":"tilt","time":"yesterday","value":3}')])
    page = open_page("/console/refused?code=bad-time", "operator", lang="en")
    assert axe(page) == []
    page.locator("tbody .row-link").first.click()
    field = page.locator("#f-payload")
    field.fill(field.input_value().replace("yesterday", "2026-11-20T08:00:00+08:00"))
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator(".notice-done")).to_contain_text("1 reading was taken.")
    hub.retry = None
