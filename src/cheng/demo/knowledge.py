"""What the agents of the invented city know: a few articles, for a hub that has none."""

import csv
import io
from importlib.resources import files

from cheng.hub import Hub
from cheng.standards.problems import Problem, SpecError

TABLE = "articles.csv"


def knowledge(hub: Hub) -> None:
    """Writes the articles where there is not a single one. Raises SpecError for a row that cannot be taken."""
    if hub.articles.all() or hub.articles.all(retired=True):
        return
    reader = csv.DictReader(io.StringIO(files("cheng.demo").joinpath(TABLE).read_text("utf-8")))
    rows = [(reader.line_num, row) for row in reader]
    with hub.store.write() as conn:
        refused = hub.articles.take(conn, rows, "house").refused
    if refused:
        raise SpecError([Problem("S322", str(why), f"{TABLE}:{line}") for line, why in refused])
