"""Who sees which column."""

from cheng.security.actors import ANONYMOUS, Actor
from cheng.security.seen import cleared
from cheng.web.fields import Column, masked, reduced, shown

COLUMNS = (
    Column("number", "Number"),
    Column("plate", "Plate", level="internal", mask="tail 3"),
    Column("phone", "Phone", level="sensitive"),
)
ROW = {"number": "7", "plate": "桂A12345", "phone": "13800138000", "secret": "x", "url": "/7"}
OFFICER = Actor("li", roles=("officer",))


def test_what_a_reader_may_not_see_is_gone() -> None:
    public = reduced([ROW], COLUMNS, cleared(ANONYMOUS), ["url"])
    assert public == [{"number": "7", "plate": "****345", "url": "/7"}]
    assert reduced([ROW], COLUMNS, cleared(OFFICER)) == [{"number": "7", "plate": "桂A12345"}]
    assert reduced([ROW], COLUMNS, cleared(OFFICER, personal=True))[0]["phone"] == "13800138000"
    assert [c.key for c in shown(COLUMNS, cleared(ANONYMOUS))] == ["number", "plate"]


def test_everyone_who_works_here_sees_what_is_internal() -> None:
    for role in ("officer", "leader", "dispatcher", "reviewer", "operator"):
        assert "internal" in cleared(Actor("li", roles=(role,))), role
    assert "internal" not in cleared(Actor("li", roles=("citizen",)))


def test_masks_leave_at_most_half() -> None:
    assert masked("abcdef", "tail 3") == "***def"
    assert masked("ab", "tail 3") == "*b"
    assert masked("13800138000", "head 3") == "138******"
    assert masked("short", "all") == masked("a very long secret", "all") == "******"
