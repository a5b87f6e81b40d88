"""Cases out of files of other systems: whatever their times, words for yes and channels, and what cannot be read."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.case_records import CaseRecord
from cheng.infrastructure.report_book import SOURCES
from cheng.protocols.files_cases import CHANNELS, CaseReading, channel_of, read_cases
from cheng.protocols.files_times import month_first, year_last
from cheng.standards.problems import InputError

HEAD = "id,opened,closed,due\n"
BOSTON = CaseReading(zone="America/New_York")


def records(folder: Path, text: str, how: CaseReading | None = None, **mapping: str) -> list[CaseRecord | InputError]:
    (folder / "cases.csv").write_text(text, "utf-8")
    return list(read_cases(folder / "cases.csv", mapping, how))


def one(folder: Path, text: str, how: CaseReading | None = None, **mapping: str) -> CaseRecord:
    (found,) = records(folder, text, how, **mapping)
    assert isinstance(found, CaseRecord), found
    return found


def refusal(folder: Path, text: str, how: CaseReading | None = None, **mapping: str) -> tuple[str, int | None]:
    (found,) = (each for each in records(folder, text, how, **mapping) if isinstance(each, InputError))
    return found.code, found.line


def us(*moment: int, zone: str = "Asia/Shanghai") -> int:
    return round(datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp() * 1e6)  # type: ignore[arg-type, misc]


def test_times_are_read_in_any_writing(tmp_path: Path) -> None:
    same = us(2015, 3, 1, 20, 5, 9)
    for told in ("2015-03-01 20:05:09", "2015/3/1 20:05:09", "2015年3月1日20时5分9秒", "20150301200509", "1425211509"):
        assert one(tmp_path, HEAD + f"1,{told},,\n").opened == same, told
    assert one(tmp_path, HEAD + "1,2015-03-01T12:05:09Z,,\n").opened == same


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("01/03/2015 08:30:00 PM,,01/16/2015 12:30:00 AM", (2015, 1, 16, 0, 30)),
        ("03/01/2015 20:30:00,,16/01/2015 00:30:00", (2015, 1, 16, 0, 30)),
        ("03.01.2015 20:30,,16.01.2015 00:00", (2015, 1, 16)),
    ],
)
def test_a_file_as_a_whole_tells_whether_months_come_first(tmp_path: Path, text: str, due: tuple[int, ...]) -> None:
    found = one(tmp_path, HEAD + f"1,{text}\n", BOSTON)
    assert found.opened == us(2015, 1, 3, 20, 30, zone=BOSTON.zone)
    assert found.due == us(*due, zone=BOSTON.zone)


@pytest.mark.parametrize("told", ["2015-03-08", "2015/3/8", "20150308", "2015年3月8日", "03/08/2015"])
def test_a_limit_that_is_a_day_ends_with_it(tmp_path: Path, told: str) -> None:
    """Also when the clocks are turned that day: it has 23 hours."""
    hint = "2,03/30/2015 10:00:00 AM,,\n" if "/2015" in told else ""
    found = records(tmp_path, HEAD + f"1,2015-03-01 10:00,{told},{told}\n{hint}", BOSTON)[0]
    assert isinstance(found, CaseRecord), found
    assert found.due == us(2015, 3, 9, zone=BOSTON.zone) - 1
    assert found.closed == us(2015, 3, 8, zone=BOSTON.zone)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("told", ["9999-12-31", "0001-01-01", "9999-12-31 23:59:59"])
@pytest.mark.parametrize("row", ["2,{},,", "2,2015-03-01 10:00,{},", "2,2015-03-01 10:00,,{}"])
def test_a_day_that_stands_for_never_is_refused_and_stops_no_file(
    tmp_path: Path, row: str, told: str, zone: str
) -> None:
    text = HEAD + "1,2015-03-01 10:00,,\n" + row.format(told) + "\n3,2015-03-01 10:00,,\n"
    assert refusal(tmp_path, text, CaseReading(zone=zone)) == ("time", 3)
    assert len(records(tmp_path, text, CaseReading(zone=zone))) == 3


def test_opened_and_closed_on_one_day(tmp_path: Path) -> None:
    found = one(tmp_path, HEAD + "1,2015-03-01 10:00,2015-03-01,2015-03-01\n")
    assert found.closed == found.opened == us(2015, 3, 1, 10)
    assert found.due == us(2015, 3, 2) - 1
    early = one(tmp_path, HEAD + "1,2015-03-01 10:00,2015-02-28,\n")
    assert early.closed == us(2015, 2, 28), "that is for the house to refuse"


def test_a_day_that_may_be_two_days_is_not_guessed(tmp_path: Path) -> None:
    assert refusal(tmp_path, HEAD + "1,01/02/2015 20:30,,\n") == ("time", 2)
    how = CaseReading(time_format="%d/%m/%Y %H:%M")
    assert one(tmp_path, HEAD + "1,01/02/2015 20:30,,\n", how).opened == us(2015, 2, 1, 20, 30)


@pytest.mark.parametrize(
    "told", ["2015-02-30 08:00:00", "soon", "02/30/2015 08:00:00 AM", "13/13/2015", "01/20/2015 13:00 PM"]
)
def test_a_day_or_hour_that_never_was_is_refused_with_its_line(tmp_path: Path, told: str) -> None:
    text = HEAD + f"1,01/20/2015 08:00:00 AM,,\n2,01/20/2015 08:00:00 AM,{told},\n"
    assert refusal(tmp_path, text) == ("time", 3)


def test_a_pattern_knows_that_february_is_short(tmp_path: Path) -> None:
    how = CaseReading(time_format="%d.%m.%Y %H-%M")
    text = HEAD + "1,01.03.2015 08-30,,\n2,30.02.2015 08-30,,\n"
    assert refusal(tmp_path, text, how) == ("time", 3)


@given(st.lists(st.integers(us(1990, 1, 1) // 1_000_000, us(2040, 1, 1) // 1_000_000), min_size=1, max_size=20))
def test_what_an_american_office_writes_is_what_it_meant(moments: list[int]) -> None:
    whole = [datetime.fromtimestamp(moment, UTC) for moment in moments]
    column = pa.array([f"{moment:%m/%d/%Y %I:%M:%S %p}" for moment in whole])
    told = month_first([column])
    days_are_large = any(moment.day > 12 for moment in whole)
    assert told is True or not days_are_large
    times, bad = year_last(column, "UTC", by_month=True)
    assert not bad.any()
    assert times.tolist() == [moment * 1_000_000 for moment in moments]


def test_in_time_is_told_by_words_or_by_two_columns(tmp_path: Path) -> None:
    head = "id,opened,in_time,late\n"
    rows = "1,2018-07-04,1,0\n2,2018-07-04,0,1\n3,2018-07-04,-,-\n4,2018-07-04,0,0\n5,2018-07-04,1,1\n"
    found = records(tmp_path, head + rows)
    assert [each.in_time for each in found if isinstance(each, CaseRecord)] == [True, False, None, None]
    assert isinstance(found[4], InputError)
    assert (found[4].code, found[4].line) == ("contradiction", 6)
    assert one(tmp_path, "id,opened,in_time\n1,2018-07-04,按时\n").in_time is True
    assert one(tmp_path, "id,opened,late\n1,2018-07-04,no\n").in_time is True
    assert refusal(tmp_path, "id,opened,in_time\n1,2018-07-04,perhaps\n") == ("flag", 2)
    assert one(tmp_path, "id,opened,in_time\n1,2018-07-04,perhaps\n", CaseReading(yes=("Perhaps",))).in_time is True
    assert one(tmp_path, "id,opened,in_time\n1,2018-07-04,yes\n", CaseReading(yes=("Perhaps",))).in_time is False


def test_what_a_file_says_of_a_known_moment_is_only_compared(tmp_path: Path) -> None:
    found = one(tmp_path, "id,opened,closed,in_time\n1,2018-07-04,,no\n")
    assert (found.in_time, found.said, found.closed) == (None, False, None)


def test_places_come_to_wgs84_and_unknown_ones_are_none(tmp_path: Path) -> None:
    head = "id,opened,lon,lat\n"
    assert one(tmp_path, head + "1,2018-07-04,-71.06,42.35\n").place == (-71.06, 42.35)
    moved = one(tmp_path, head + "1,2018-07-04,114.35,22.69\n", CaseReading(crs="GCJ-02")).place
    assert moved is not None
    assert 0.001 < abs(moved[0] - 114.35) < 0.01
    for nowhere in ("0,0", ",", "-71.06,"):
        assert one(tmp_path, head + f"1,2018-07-04,{nowhere}\n").place is None
    assert refusal(tmp_path, head + "1,2018-07-04,42.35,-171.06\n") == ("place", 2)
    assert refusal(tmp_path, head + "1,2018-07-04,east,42\n") == ("number", 2)


def test_departments_are_counted_under_one_name_and_further_words_come_along(tmp_path: Path) -> None:
    rows = "1,2018-07-04,城管办,东街,12345\n2,2018-07-05, 城管办（东街街道） ,西街,@坪山\n"
    found = records(tmp_path, "id,opened,department,street,source\n" + rows)
    assert [each.department for each in found if isinstance(each, CaseRecord)] == ["城管办", "城管办"]
    assert isinstance(found[1], CaseRecord)
    assert found[1].values == {"street": "西街", "channel": "@坪山"}
    assert found[1].source == "wechat"
    assert one(tmp_path, "id,opened,Zone\n1,2018-07-04,7\n", district="Zone").values == {"district": "7"}


def test_channels_of_other_systems_are_ours() -> None:
    assert {channel for channel, _ in CHANNELS} | {channel_of("City App"), channel_of("")} <= set(SOURCES)
    assert [channel_of(word) for word in ("12345", "政府信箱", "Self Service", "Employee Generated", "portal")] == [
        *("hotline", "letter", "portal", "collector", "portal")
    ]


def test_packed_files_other_encodings_and_parquet(tmp_path: Path) -> None:
    text = "编号,受理时间,内容\n7,2018-07-04 08:00:00,井盖破损\n"
    names = {"id": "编号", "opened": "受理时间", "text": "内容"}
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode("gb18030")))
    (packed,) = read_cases(tmp_path / "a.csv.gz", names)
    table = pa.table({"编号": [7], "受理时间": [datetime(2018, 7, 4, 8)], "内容": ["井盖破损"]})  # noqa: DTZ001
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    (plain,) = read_cases(tmp_path / "a.parquet", names)
    for found in (packed, plain):
        assert isinstance(found, CaseRecord)
        assert (found.external, found.opened, found.text) == ("7", us(2018, 7, 4, 8), "井盖破损")


def test_a_sentence_may_have_lost_a_letter_but_not_a_name(tmp_path: Path) -> None:
    assert one(tmp_path, "id,opened,text\n1,2018-07-04,the Mayor\ufffds speech\n").text == "the Mayor\ufffds speech"
    assert refusal(tmp_path, "id,opened,class\n1,2018-07-04,L\ufffdght\n") == ("encoding", 2)


@pytest.mark.parametrize(
    ("mapping", "code", "reason"),
    [
        ({"opend": "opened"}, "unknown-field", "did you mean 'opened'"),
        ({"record": "opened"}, "unknown-field", "known are id"),
        ({"street_id": "opened"}, "unknown-field", "known are id"),
        ({"due": "Target"}, "no-column", "no column 'Target'"),
    ],
)
def test_a_slip_in_the_mapping_is_told_at_once(tmp_path: Path, mapping: dict[str, str], code: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as told:
        records(tmp_path, "id,opened\n1,2018-07-04\n", **mapping)
    assert told.value.code == code


def test_without_a_number_or_an_opening_time_nothing_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--map opened=COLUMN"):
        records(tmp_path, "id,when\n1,2018-07-04\n")
    assert refusal(tmp_path, HEAD + "1,,2018-07-04,\n") == ("time", 2)
