"""The departments that a case can go to."""

from cheng.infrastructure import case_search
from cheng.web.pages import Ask


def departments_known(ask: Ask) -> list[str]:
    """Those that are registered, and those in which somebody works."""
    registered = {thing.name or thing.id for thing in ask.hub.things.of_type("Department")}
    return sorted(registered | set(case_search.all_departments(ask.hub.store)))
