"""Where each reader can go."""

from collections.abc import Callable

from house import Visitor

from cheng.web.app import Web
from cheng.web.navigation import FIRST, SECTIONS, first_part, section_of

Come = Callable[..., Visitor]


def test_sections_and_menus_come_from_the_pages_themselves(app: Web, visitor: Come) -> None:
    menus, homes = app.state.navigation.menus, app.state.navigation.homes
    assert set(menus) <= set(SECTIONS)
    for section, entries in menus.items():
        assert [e.order for e in entries] == sorted(e.order for e in entries)
        assert all(homes.get(first_part(e.path), section_of(e.path)) == section for e in entries)


def test_nobody_is_shown_a_way_that_is_closed_to_them(app: Web, visitor: Come) -> None:
    for role in ("", "citizen", "officer", "leader", "operator"):
        person = visitor(role)
        page = person.get("/portal").text
        for section in ("desk", "dashboard", "console"):
            shown = f'href="/{section}"' in page
            assert not shown or person.get(f"/{section}").status_code in (200, 302, 303), (role, section)
        if role == "citizen":
            assert 'href="/desk"' not in page


def test_every_role_has_somewhere_to_begin() -> None:
    assert set(FIRST.values()) <= {f"/{section}" for section in SECTIONS}
