"""Opening the house: nothing is opened for settings that cannot be, and nothing stays open when a part fails."""

from dataclasses import replace
from pathlib import Path

import pytest

from cheng import hub as hubs
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.history import History
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.store import Store
from cheng.kernel.model import Model
from cheng.security.passwords import Hasher
from cheng.standards.problems import SpecError

NOW = 1_795_000_000_000_000
"""In November 2026."""


def opened(settings: Settings) -> hubs.Hub:
    return hubs.open_hub(settings, ManualClock(NOW), Model.of([]), Hasher(64, weak_for_tests=True))


def test_urls_of_what_is_not_there_are_refused_before_anything_is_opened(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, bus="nats://u:geheim@h", history="s3://k:geheim@b")
    with pytest.raises(SpecError) as refusal:
        opened(settings)
    assert [problem.code for problem in refusal.value.problems] == ["S110", "S111"]
    assert "geheim" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []
    opened(replace(settings, bus="memory://", history="")).close()


@pytest.mark.parametrize("part", ["Judges", "CaseBook", "Seals"])
def test_what_was_opened_is_closed_when_a_later_part_fails(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    for kind in (Store, History):
        real = kind.close

        def close(self: object, real: object = real, name: str = kind.__name__) -> None:
            closed.append(name)
            real(self)  # type: ignore[operator]  # the method itself

        monkeypatch.setattr(kind, "close", close)

    def broken(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(hubs, part, broken)
    with pytest.raises(OSError, match="no room"):
        opened(Settings(data=tmp_path))
    assert closed == (["Store"] if part == "Judges" else ["History", "Store"])


def test_how_far_the_holidays_are_known(tmp_path: Path) -> None:
    hub = opened(Settings(data=tmp_path))
    try:
        (ahead,) = [value for name, _, _, value in hub.counters() if name == "cheng_calendar_years_ahead"]
    finally:
        hub.close()
    assert ahead == 1
