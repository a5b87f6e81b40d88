"""The guides say what the code says: every word of it stands in them, and their examples run."""

import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cheng
from cheng.chores import CHORES
from cheng.infrastructure.settings import KEYS, Settings
from cheng.kernel.cases import VERBS
from cheng.kernel.indicators import MEASURES
from cheng.kernel.model import Model
from cheng.kernel.observations import BAD, Quality
from cheng.kernel.rules import LEVELS
from cheng.security.actors import ROLES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "cheng"
GUIDES = (
    "applications",
    "cases",
    "history",
    "http",
    "indicators",
    "load",
    "mqtt",
    "pipeline",
    "rules",
    "security",
    "unusual",
)
LONGEST = 150
ROW = re.compile(r"^\| `(\w+)` \| `([^`]*)` \|", re.M)
LINK = re.compile(r"\]\(([^)#:]+)[^)]*\)")
PYTHON = re.compile(r"```python\n(.*?)```", re.S)
DECLARING = ("specs", "entities", "rules", "flows", "indicators", "model", "jobs")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text("utf-8")


def lacking(words: Iterable[str], *pages: str) -> list[str]:
    """Those of the words that stand in none of the pages as code."""
    told = " ".join(re.findall(r"`[^`\n]+`", "\n".join(map(page, pages))))
    return [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", told)]


def codes(pattern: str, files: Iterable[Path]) -> list[str]:
    return sorted({code for file in files for code in re.findall(pattern, file.read_text("utf-8"))})


def module_of(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The code of a page as an application of the family `city`."""
    module = ModuleType(f"handbook.city.{name}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, f"{name}.md", "exec"), module.__dict__)
    return module


# -- nothing is left out


def test_every_setting_is_told_with_its_default() -> None:
    told = dict(ROW.findall(page("settings")))
    assert told.keys() == KEYS.keys()
    usual = Settings(data=Path())
    for name, text in told.items():
        assert KEYS[name](tomllib.loads(f"x = {text}")["x"]) == getattr(usual, name), name


def test_every_verb_of_a_case_is_told() -> None:
    assert lacking(VERBS, "cases") == []


def test_every_word_of_the_vocabulary_is_told() -> None:
    assert lacking(cheng.__all__, "applications") == []


def test_every_code_of_a_declaration_is_told() -> None:
    found = codes(r'"(H\d{3})"', [SOURCE / "kernel" / f"{name}.py" for name in DECLARING])
    assert len(found) > 30
    assert [code for code in found if code not in page("applications")] == []


def test_every_code_of_a_start_is_told() -> None:
    found = codes(r'"(S\d{3})"', SOURCE.rglob("*.py"))
    assert [code for code in found if code not in page("settings")] == []


def test_every_reason_to_refuse_a_line_is_told() -> None:
    found = codes(r'InputError\(\s*"([\w-]+)"', SOURCE.rglob("*.py"))
    assert len(found) > 20
    assert lacking(found, "http", "load") == []


def test_every_mark_is_told_with_its_number() -> None:
    for mark in Quality:
        bad = "yes" if mark in BAD else "no"
        words = (mark.name or "").lower().replace("_", " ")
        assert f"| {words} | {mark.value} | {bad} |" in page("pipeline")


def test_chores_levels_measures_and_roles_are_told() -> None:
    assert lacking([chore.key for chore in CHORES], "pipeline") == []
    assert [level for level in LEVELS if level not in page("rules")] == []
    assert lacking([name for kind in MEASURES.values() for name in kind], "indicators") == []
    assert [role for role in ROLES if f"| {role}" not in page("security")] == []


def test_the_first_page_leads_to_every_other() -> None:
    linked = set(LINK.findall(page("index")))
    assert sorted(file.name for file in DOCS.glob("*.md") if file.name not in linked | {"index.md"}) == []


# -- what is said is so


@pytest.mark.parametrize("name", [*GUIDES, "settings"])
def test_a_guide_is_short_and_its_links_lead_somewhere(name: str) -> None:
    assert len(page(name).splitlines()) <= LONGEST
    assert [link for link in LINK.findall(page(name)) if not (DOCS / link).exists()] == []


@pytest.mark.parametrize("name", ["cases", "history", "indicators", "rules"])
def test_the_example_of_a_guide_is_an_application(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.of([module_of(name, "\n".join(PYTHON.findall(page(name))), monkeypatch)])
    assert len(model.entities) > 2  # beside those of the house


def test_every_kind_of_condition_can_be_written_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("rules", "\n".join(PYTHON.findall(page("rules"))), monkeypatch)
    rows = page("rules").split("## Kinds of condition")[1].split("```")[0].splitlines()
    examples = [said for row in rows if row.startswith("| ") for said in re.findall(r"`([^`]+)`", row.split("|")[2])]
    assert len(examples) > 12
    for said in examples:
        words = eval(f"Truck.position{said}" if said.startswith(".") else said, module.__dict__).words()
        assert words, said


def test_the_tutorial_tells_a_true_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    application, story = PYTHON.findall(page("applications"))
    module = module_of("bus_shelters", application, monkeypatch)
    told: dict[str, Any] = {**vars(module), "bus_shelters_module": module}
    exec(compile(story, "applications.md", "exec"), told)
    test: Callable[[Path], None] = told["test_broken_glass_is_fenced"]
    test(tmp_path)
