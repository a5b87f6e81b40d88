"""What `cheng check` finds, and that a new application has nothing for it to find."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cheng import checks
from cheng.infrastructure.loader import load_model
from cheng.standards.calendars import Calendar
from cheng.standards.problems import Problem, SpecError

ROOT = Path(__file__).parents[1]


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code for problem in problems}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree in which every home stands, but empty."""
    for app in checks.own_apps(load_model()):
        homes = checks.Homes.of(app.family, app.__name__)
        for place in (homes.module, homes.story, homes.page, homes.demo):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).touch()
    checks.write_pages(load_model(), tmp_path)
    return tmp_path


def test_a_whole_tree_is_complete(tree: Path) -> None:
    assert codes(checks.check(tree)) <= {"C005"}


@pytest.mark.parametrize(("home", "code"), [("story", "C003"), ("demo", "C004"), ("page", "C006")])
def test_each_home_is_missed(tree: Path, home: str, code: str) -> None:
    place = getattr(checks.Homes.of("city", "manhole_covers"), home)
    (tree / place).unlink()
    (problem,) = [p for p in checks.check(tree) if p.code == code]
    assert problem.place == str(place)
    assert "manhole_covers" in problem.message
    assert problem.hint


def test_a_page_that_is_behind_is_written_again(tree: Path) -> None:
    page = tree / "docs" / "135.md"
    page.write_text("something else")
    assert "C007" in codes(checks.check(tree))
    assert checks.write_pages(load_model(), tree) == [Path("docs/135.md")]
    assert "C007" not in codes(checks.check(tree))
    assert checks.write_pages(load_model(), tree) == []


def test_the_drawing_names_every_application(tree: Path) -> None:
    text = (tree / "docs" / "135.md").read_text("utf-8")
    for app in checks.own_apps(load_model()):
        assert f"| {app.system} |" in text
        assert f"apps/{app.family}/{app.__name__}.md" in text


def test_declarations_that_do_not_hold_are_all_said(monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    problems = [Problem("H002", "one"), Problem("H003", "two")]

    def broken() -> None:
        raise SpecError(problems)

    monkeypatch.setattr(checks, "load_model", broken)
    assert checks.check(tree) == problems


@pytest.mark.slow
def test_a_new_application_is_complete_and_its_story_passes(tmp_path: Path) -> None:
    """In a copy of the tree, by the commands themselves."""
    for name in ("src", "tests", "docs", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        else:
            shutil.copy(source, tmp_path / name)
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    cheng = ("-c", "from cheng.cli import main; main()")
    said = run(*cheng, "new", "city/bus_shelters", "--title", "Bus shelters", "--chinese", "公交候车亭")
    assert "written: src/cheng/apps/city/bus_shelters.py" in said
    assert "公交候车亭" in run(*cheng, "tell", "bus_shelters")
    before = codes(checks.check(ROOT))
    if not before:
        assert "Complete." in run(*cheng, "check")
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/apps/city/test_bus_shelters.py")
    run("-m", "ruff", "check", "src/cheng/apps/city/bus_shelters.py", "src/cheng/demo/city/bus_shelters.py")
    run(
        "-m", "ruff", "format", "--check", "src/cheng/demo/city/bus_shelters.py", "tests/apps/city/test_bus_shelters.py"
    )


def test_holidays_that_are_not_known_are_a_warning() -> None:
    calendar = Calendar()
    this = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1e6)
    (warning,) = checks.warnings(calendar, this)
    assert (warning.code, warning.message) == ("C008", "the holidays of 2027 are not known yet")
    assert len(checks.warnings(calendar, this + 400 * 86_400_000_000)) == 2
