"""Times and numbers as people here write them."""

from zoneinfo import ZoneInfo

import pytest

from cheng.web.local import Local
from cheng.web.texts import Catalogues

NOW = 1_795_132_800_000_000
SECOND, MINUTE, HOUR, DAY = 10**6, 60 * 10**6, 3600 * 10**6, 86_400 * 10**6
LANGUAGES = Catalogues.load().languages
ZH, EN = (Local(LANGUAGES[code], ZoneInfo("Asia/Shanghai"), NOW) for code in ("zh_CN", "en"))


def test_moments_are_on_the_citys_clock() -> None:
    assert ZH.iso(NOW) == "2026-11-20T08:00:00+08:00"
    assert ZH.moment(NOW + 65 * MINUTE) == "今天 09:05"
    assert EN.moment(NOW - DAY) == "19 Nov 08:00"
    assert ZH.moment(NOW - 400 * DAY) == "2025年10月16日 08:00"
    assert ZH.full(NOW) == "2026年11月20日 星期五 08:00"
    assert EN.full(NOW) == "Friday 20 November 2026, 08:00"
    assert ZH.iso(None) == ZH.moment(None) == ZH.date(None) == ""


@pytest.mark.parametrize(
    ("due", "chinese", "english"),
    [
        (NOW + 2 * HOUR + 5 * MINUTE, "还剩 2 小时 5 分", "2 hours 5 minutes left"),
        (NOW + 3 * MINUTE, "还剩 3 分", "3 minutes left"),
        (NOW + 40 * HOUR, "还剩 1 天 16 小时", "1 day 16 hours left"),
        (NOW - 12 * DAY - HOUR, "已超时 12 天", "12 days overdue"),
        (NOW - MINUTE, "已超时 1 分", "1 minute overdue"),
        (NOW, "还剩 0 秒", "0 seconds left"),
    ],
)
def test_how_long_is_left(due: int, chinese: str, english: str) -> None:
    assert (ZH.left(due), EN.left(due)) == (chinese, english)


def test_how_long_ago() -> None:
    assert [ZH.ago(NOW - s) for s in (SECOND, 5 * MINUTE, 4 * DAY)] == ["刚刚", "5 分前", "11月16日 08:00"]
    assert EN.ago(NOW + HOUR) == "today 09:00", "a device whose clock is fast"


def test_numbers() -> None:
    assert [EN.number(v) for v in (3, 0.126, 123.456, 1234567.8, None, float("nan"))] == [
        "3",
        "0.13",
        "123.5",
        "1,234,568",
        "–",
        "–",
    ]
    assert EN.number(float("inf")) == "∞"
    assert EN.percent(0.9512) == "95.1%"
    assert EN.size(3_200_000) == "3.2 MB"
    assert EN.money(1250) == "¥12.50"


def test_times_beyond_the_calendar_stop_no_page() -> None:
    for us in (2**62, -(2**62)):
        assert EN.moment(us) == EN.iso(us) == EN.full(us) == EN.date(us) == EN.time(us) == str(us)


def test_a_cell_is_written_by_its_kind() -> None:
    assert EN.value(NOW, "moment") == "today 08:00"
    assert EN.value(True) == "yes"
    assert ZH.value(["北区", 3]) == "北区, 3"
    assert EN.value("=1+1", "number") == "=1+1"
    assert EN.value(None, "percent") == ""
