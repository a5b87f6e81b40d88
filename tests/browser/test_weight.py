"""The first load of a page is small: bytes over the wire, as a browser counts them that has seen nothing yet."""

from collections.abc import Callable

import pytest
from browsing import Served
from filled_city import fill
from playwright.sync_api import Page

from bench.page_weight import first_load

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def cover(served: Served) -> str:
    return fill(served)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("", "/portal"),
        ("", "/report"),
        ("", "/things/Cover/{cover}"),
        ("", "/map"),
        ("officer", "/desk"),
        ("leader", "/dashboard"),
        ("leader", "/areas"),
        ("operator", "/console"),
    ],
)
def test_a_first_load_is_within_its_budget(open_page: Open, served: Served, cover: str, role: str, path: str) -> None:
    open_page("about:blank", role)  # signs in, where somebody has to
    load = first_load(open_page("about:blank", role), served.url + path.format(cover=cover))
    assert load.fits, load.sizes
    assert load.mapped == (path in ("/map", "/dashboard"))
    assert load.faults == []
