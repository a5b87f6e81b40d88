"""Due dates on four clocks: worked examples first, then what must hold for every start and every limit."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.standards.calendars import Calendar, Holidays, national
from cheng.standards.durations import CLOCKS, Duration, days, hours, minutes, working_days, working_hours
from cheng.standards.problems import SpecError

CITY = Calendar()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> int:
    """Microseconds of a local time in Shanghai."""
    return round(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1_000_000)


def local(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-20", True),  # a Friday
        ("2026-11-21", False),
        ("2026-10-01", False),
        ("2026-10-10", True),  # a Saturday that makes up
        ("2026-09-20", True),  # a Sunday that makes up
        ("2020-01-31", False),  # the Spring Festival that was made longer
        ("2020-02-01", False),
        ("2018-12-31", False),  # settled by the notice for 2019
        ("2018-12-29", True),
        ("2015-09-03", False),
        ("2015-09-06", True),
    ],
)
def test_days_that_are_worked(day: str, works: bool) -> None:
    assert CITY.is_workday(date.fromisoformat(day)) is works


def test_each_year_has_as_many_working_days_as_the_law_leaves() -> None:
    """365 days without 104 or so weekend days and 11 legal holidays (13 from 2025)."""
    for year, expected in [(2016, 250), (2019, 250), (2020, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)]:
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        assert sum(CITY.is_workday(date.fromordinal(day)) for day in range(first, last + 1)) == expected, year


def test_every_row_of_the_table_names_its_notice() -> None:
    assert set(national().notices) == set(range(2015, 2027))
    assert all(notice.split()[0].endswith("号") for notices in national().notices.values() for notice in notices)
    assert len(national().notices[2020]) == 2  # the year's notice, and the one that made the Spring Festival longer


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        # emergency: through the night and the holidays
        ("2026-09-30 23:00", hours(2), "2026-10-01 01:00:00"),
        ("2026-11-20 17:59", minutes(10), "2026-11-20 18:09:00"),
        # calendar days
        ("2026-09-30 10:00", days(2), "2026-10-02 10:00:00"),
        # working hours: lunch, night, weekend, a week of holidays
        ("2026-11-19 08:00", working_hours(4), "2026-11-19 12:00:00"),
        ("2026-11-19 08:00", working_hours(5), "2026-11-19 15:00:00"),
        ("2026-11-19 12:30", working_hours(1), "2026-11-19 15:00:00"),
        ("2026-11-19 17:00", working_hours(4), "2026-11-20 11:00:00"),
        ("2026-11-20 17:00", working_hours(2), "2026-11-23 09:00:00"),
        ("2026-09-30 17:00", working_hours(2), "2026-10-08 09:00:00"),
        ("2026-10-09 17:00", working_hours(2), "2026-10-10 09:00:00"),  # a Saturday that makes up
        ("2026-11-21 03:00", working_hours(8), "2026-11-23 18:00:00"),
        # working days: the first day is not counted, the last ends at the close of office
        ("2026-11-16 08:00", working_days(3), "2026-11-19 18:00:00"),
        ("2026-11-16 17:55", working_days(3), "2026-11-19 18:00:00"),
        ("2026-11-16 22:00", working_days(3), "2026-11-19 18:00:00"),
        ("2026-11-20 10:00", working_days(1), "2026-11-23 18:00:00"),
        ("2026-11-21 10:00", working_days(3), "2026-11-25 18:00:00"),
        ("2026-09-29 10:00", working_days(5), "2026-10-12 18:00:00"),  # 30, then 8, 9, 10 (makes up), 12
        ("2026-11-16 09:00", working_days(0.5), "2026-11-17 12:00:00"),
        ("2026-11-16 09:00", working_days(1.75), "2026-11-18 16:00:00"),
    ],
)
def test_worked_examples(start: str, limit: Duration, due: str) -> None:
    assert local(CITY.due(at(start), limit)) == due


def test_an_extension_is_due_from_the_due_date() -> None:
    due = CITY.due(at("2026-11-16 09:00"), working_days(2))
    assert local(CITY.due(due, working_days(2))) == "2026-11-20 18:00:00"


@pytest.mark.parametrize(
    ("limit", "paused", "resumed", "expected"),
    [
        (hours(2), "2026-11-16 10:00", "2026-11-16 13:00", "2026-11-16 14:00:00"),
        (working_hours(4), "2026-11-16 10:00", "2026-11-17 10:00", "2026-11-17 17:00:00"),
        (working_hours(4), "2026-11-16 12:10", "2026-11-16 13:50", "2026-11-16 17:00:00"),  # lunch costs nothing
        (working_days(3), "2026-11-17 10:00", "2026-11-17 10:05", "2026-11-19 18:00:00"),  # and wins nothing
        (working_days(3), "2026-11-17 10:00", "2026-11-18 10:00", "2026-11-20 18:00:00"),
        (working_days(3), "2026-11-17 19:00", "2026-11-18 07:00", "2026-11-19 18:00:00"),
        (working_days(3), "2026-11-17 10:00", "2026-11-23 10:00", "2026-11-25 18:00:00"),  # four closes
        (working_days(0.5), "2026-11-16 10:00", "2026-11-17 09:00", "2026-11-18 12:00:00"),
    ],
)
def test_a_pause_gives_back_what_the_clock_would_have_run(
    limit: Duration, paused: str, resumed: str, expected: str
) -> None:
    start = "2026-11-16 11:00" if limit.clock == "working hours" else "2026-11-16 09:00"
    due = CITY.due(at(start), limit)
    assert local(CITY.shift(due, at(paused), at(resumed), limit.clock)) == expected


def test_a_pause_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="pause"):
        CITY.shift(0, 10, 5, "emergency")


def test_offices_are_open_until_the_closing_minute() -> None:
    assert CITY.is_open(at("2026-11-20 08:00"))
    assert CITY.is_open(at("2026-11-20 17:59"))
    assert not any(CITY.is_open(at(f"2026-11-{text}")) for text in ("20 12:00", "20 13:30", "20 18:00", "21 10:00"))


def test_years_without_a_notice_are_said_to_be_provisional() -> None:
    assert CITY.known(2026)
    assert not CITY.known(2027)
    due = CITY.due(at("2026-12-30 10:00"), working_days(3))
    assert local(due) == "2027-01-04 18:00:00"  # plain weekends; New Year's Day is not known to be off
    assert CITY.provisional(due)
    assert not CITY.provisional(at("2026-12-31 10:00"))


def test_a_city_can_have_its_own_days_and_hours() -> None:
    own = Holidays.read(
        "year,name,first,last,makeup,notice,issued\n2026,三月三,2026-04-17,2026-04-20,2026-04-25,桂政办〔2026〕1号,\n"
    )
    calendar = Calendar("Asia/Shanghai", national() | own, ((time(9), time(17)),))
    assert not calendar.is_workday(date(2026, 4, 17))
    assert calendar.is_workday(date(2026, 4, 25))
    assert not calendar.is_workday(date(2026, 10, 1))
    assert local(calendar.due(at("2026-04-16 16:00"), working_hours(2))) == "2026-04-21 10:00:00"


def test_a_table_that_cannot_be_read_says_every_line() -> None:
    with pytest.raises(SpecError) as raised:
        Holidays.read(
            "year,name,first,last,makeup,notice,issued\n2027,元旦,2027-01-01,2026-01-01,,x,\n2027,春节,soon,2027-02-12,,x,\n"
            "2027,国庆节,2027-10-01,2027-10-07,2027-10-08,x,\n"
        )
    assert [problem.place for problem in raised.value.problems] == ["line 2", "line 3", "line 4"]


def test_office_hours_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in order"):
        Calendar(office=((time(14), time(18)), (time(8), time(12))))


def test_another_zone_with_summer_time() -> None:
    vienna = Calendar("Europe/Vienna", Holidays({}, {}, {}))
    start = round(datetime(2026, 3, 27, 17, tzinfo=ZoneInfo("Europe/Vienna")).timestamp() * 1e6)
    due = datetime.fromtimestamp(vienna.due(start, working_hours(2)) / 1e6, ZoneInfo("Europe/Vienna"))
    assert (due.day, due.hour, due.utcoffset().total_seconds()) == (30, 9, 7200)


INSTANTS = st.integers(
    round(datetime(2015, 1, 1, tzinfo=UTC).timestamp() * 1e6), round(datetime(2030, 1, 1, tzinfo=UTC).timestamp() * 1e6)
)
AMOUNTS = st.integers(0, 400)
UNITS = st.sampled_from(list(CLOCKS))


@given(INSTANTS, AMOUNTS, UNITS)
def test_elapsed_until_due_is_the_limit(start: int, amount: int, unit: str) -> None:
    limit = Duration(amount, unit)
    due = CITY.due(start, limit)
    passed = CITY.elapsed(start, due, limit.clock)
    assert due >= start
    scale = {"second": 3600, "minute": 60}.get(unit, 1)
    assert passed.amount * scale == pytest.approx(amount, abs=1e-6)


@given(INSTANTS, st.floats(0, 300), st.sampled_from(["hour", "day", "working hour", "working day"]))
def test_parts_of_hours_and_days_pass_too(start: int, amount: float, unit: str) -> None:
    limit = Duration(amount, unit)
    assert CITY.elapsed(start, CITY.due(start, limit), limit.clock).amount == pytest.approx(amount, abs=1e-6)


@given(INSTANTS, AMOUNTS, AMOUNTS, UNITS)
def test_two_limits_after_each_other_are_their_sum(start: int, one: int, two: int, unit: str) -> None:
    apart = CITY.due(CITY.due(start, Duration(one, unit)), Duration(two, unit))
    assert apart == CITY.due(start, Duration(one + two, unit))


@given(INSTANTS, st.integers(0, 10**13), AMOUNTS, AMOUNTS, UNITS)
def test_later_starts_and_longer_limits_are_due_no_earlier(
    start: int, later: int, amount: int, more: int, unit: str
) -> None:
    limit = Duration(amount, unit)
    if amount:  # a limit of nothing is due at once, even inside the day that is not counted
        assert CITY.due(start + later, limit) >= CITY.due(start, limit)
    assert CITY.due(start, Duration(amount + more, unit)) >= CITY.due(start, limit)


@given(INSTANTS, AMOUNTS, st.integers(0, 10**13), st.integers(0, 10**13), UNITS)
def test_a_pause_moves_the_due_date_forward_by_no_less_than_a_shorter_one(
    start: int, amount: int, length: int, more: int, unit: str
) -> None:
    limit = Duration(amount, unit)
    due = CITY.due(start, limit)
    short = CITY.shift(due, start, start + length, limit.clock)
    assert due == CITY.shift(due, start, start, limit.clock)
    assert due <= short <= CITY.shift(due, start, start + length + more, limit.clock)


@given(INSTANTS, INSTANTS, st.sampled_from(sorted(set(CLOCKS.values()))))
def test_elapsed_never_runs_backwards(one: int, two: int, clock: str) -> None:
    start, end = sorted((one, two))
    passed = CITY.elapsed(start, end, clock)
    assert passed.amount >= 0
    assert CITY.elapsed(end, start, clock).amount == 0
    assert CITY.elapsed(start, end + 3_600_000_000, clock).amount >= passed.amount


def test_the_hour_of_the_city() -> None:
    assert Calendar().hour(at("2026-11-20T00:00:00")) == 0
    assert Calendar().hour(at("2026-11-20T23:30:00")) == 23.5
    assert Calendar("UTC").hour(at("2026-11-20T08:00:00")) == 0
