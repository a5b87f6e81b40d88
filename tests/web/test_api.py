"""What programs are told."""

import re
from collections.abc import Callable

from house import Visitor

from cheng.web.app import Web
from cheng.web.house.api import HIDDEN

Come = Callable[..., Visitor]


def test_every_page_is_in_the_document(app: Web, visitor: Come) -> None:
    told = visitor().get("/api/openapi.json").json()
    assert told["openapi"] == "3.1.0"
    for route in app.routes:
        if route.path != "/" and not route.path.startswith(HIDDEN):
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            assert path in told["paths"] or f"{path}.json" in told["paths"]
    operations = [each for item in told["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in operations if "operationId" in each]
    assert len(names) == len(set(names))
    for path, item in told["paths"].items():
        for each in item.values():
            blanks = {p["name"] for p in each.get("parameters", ()) if p["in"] == "path"}
            assert blanks == set(re.findall(r"\{(\w+)\}", path)), path
            assert each["summary"], path


def test_the_reading_page_shows_it(visitor: Come) -> None:
    page = visitor().get("/api").text
    assert "/portal.json" in page
    assert "http://testserver.local" in page
