"""Codes of grids (GB/T 30428.1): six digits of the county, three of the street, three of the community, three in turn.

A number is used once: that of a grid which was given up is void, and no other grid ever bears it.
"""

from collections.abc import Collection

from cheng.standards.codes import join, split

GRID = "grid"
"""The layout in `component_layouts.csv`."""
COMMUNITY = 12
"""Digits of a community's code, with which all its grids begin."""


def grid_code_problem(code: str) -> str:
    """What is wrong with the code of a grid, a sentence without its end; empty when nothing is."""
    try:
        split(code, GRID)
    except ValueError as error:
        return str(error)
    return ""


def fresh_codes(community: str, used: Collection[str], count: int) -> list[str]:
    """`count` codes in a community, the lowest that no grid bears or ever bore; `used` holds those, void ones too.

    Raises ValueError when the community's code has not twelve digits, or its 999 numbers do not suffice.
    """
    if len(community) != COMMUNITY:
        raise ValueError(f"{community!r} is no code of a community: {COMMUNITY} digits")
    county, street, own = community[:6], community[6:9], community[9:]
    every = (join(GRID, county=county, street=street, community=own, serial=n) for n in range(1, 1000))
    free = [code for code in every if code not in used]
    if len(free) < count:
        raise ValueError(f"{community} has {len(free)} numbers left for grids, and {count} are wanted")
    return free[:count]
