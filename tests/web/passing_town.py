"""Two cities side by side: what is reported in the one and lies in the other is passed on there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desk_town import Desk
from report_town import served
from street_town import open_street

from cheng.apps.city.urban_management import handle_report
from cheng.infrastructure.neighbours import Neighbour
from cheng.protocols.open311_passing import OpenCities
from cheng.security.actors import HOUSE
from cheng.standards.durations import minutes
from cheng.testing import Reported

THERE, SILENT = "River City", "Silent City"
PHONE = "13800000000"


@dataclass
class Two:
    """Our city, whose desk passes cases on, and the other one, a hub of its own behind a real server."""

    ours: Desk
    theirs: Desk
    url: str
    """where citizens reach ours"""

    def reported(self, text: str = "Rubbish beyond the bridge", **more: Any) -> Reported:
        told = {"class_code": "E0102", "place": (106.55, 29.56), "address": "1 Bridge Road", "phone": PHONE} | more
        return self.ours.town.hears(handle_report, text, **({"name": "Min Zhou"} | told))

    def page(self, who: str, number: str, **query: str) -> Any:
        return self.ours[who].get(f"/desk/cases/{number}/pass-on", params=query)

    def hidden(self, who: str, number: str, **query: str) -> dict[str, str]:
        """The hidden fields of the form that sends it."""
        text = self.page(who, number, **({"city": THERE, "service": "E0102"} | query)).text
        found = re.search(r'<form class="form" method="post"[^>]*pass-on".*?</form>', text, re.S)
        assert found, text
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found[0]))

    def passes(self, who: str, number: str, hidden: dict[str, str] | None = None, **fields: str) -> Any:
        """Fill in the form and send it, as a browser without scripts would."""
        fields = {"text": "Rubbish beyond the bridge", "address": "1 Bridge Road", "reason": "Theirs."} | fields
        data = (self.hidden(who, number) if hidden is None else hidden) | fields
        return self.ours[who].client.post(f"/desk/cases/{number}/pass-on", data=data, follow_redirects=False)

    def there(self) -> list[Any]:
        return [filed for state in ("open", "closed", "void") for filed in self.theirs.town.cases(state=state)]

    def later(self, n: float = 20) -> None:
        """Time passes in both cities, and ours asks what is new."""
        for desk in (self.ours, self.theirs):
            desk.town.passes(minutes(n))
        self.ours.hub.cities.send()
        self.ours.hub.cities.follow()


@contextmanager
def two_cities(folder: Path, **settings: Any) -> Iterator[Two]:
    with open_street(folder / "theirs", city=THERE, language="en") as theirs, served(theirs.hub) as address:
        key = theirs.hub.tokens.issue(HOUSE, "our city", "reporter")
        near = Neighbour(THERE, f"{address}/open311/v2", key=key, services={"E0102": "E0102"})
        silent = Neighbour(SILENT, "http://127.0.0.1:9/open311/v2")
        told = {"city": "North City", "language": "en", "neighbours": (near, silent), **settings}
        with open_street(folder / "ours", **told) as ours, served(ours.hub) as url:
            ours.hub.cities = OpenCities(ours.hub, patience=5)
            yield Two(ours, theirs, url)
