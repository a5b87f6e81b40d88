"""The house rules of DESIGN.md §7, asked by a machine."""

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import cheng
from cheng import checks
from cheng.infrastructure.loader import load_model

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cheng"
FILES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
APPS = sorted(path for path in (SOURCE / "apps").rglob("*.py") if path.name != "__init__.py")
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_APP = 400, 50, 150
SILENCED = re.compile(r"#\s*(type:\s*ignore|noqa)")
REASONED = re.compile(r"#\s*(type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)\s+[#–-]\s*\S+")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def comments(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as stream:
        for token in tokenize.tokenize(stream.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def found(faults: Iterator[str]) -> None:
    said = list(faults)
    assert not said, "\n" + "\n".join(said)


def test_files_are_short() -> None:
    found(f"{name(p)}: {lines(p)} lines" for p in [*FILES, *TESTS] if lines(p) > LONGEST_FILE)


def test_functions_are_short() -> None:
    found(
        f"{name(path)}:{node.lineno} {node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for path in FILES
        if "migrations" not in path.parts  # those are written once and never changed
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    )


def test_applications_are_short() -> None:
    found(f"{name(p)}: {lines(p)} lines" for p in APPS if lines(p) > LONGEST_APP)


def test_imports_stand_at_the_top() -> None:
    found(
        f"{name(path)}:{inner.lineno} imports inside {node.name}"
        for path in [*FILES, *TESTS]
        for node in functions(path)
        for inner in ast.walk(node)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    )


def test_whoever_silences_a_tool_says_why() -> None:
    found(
        f"{name(path)}:{line} {comment}"
        for path in FILES
        for line, comment in comments(path)
        if SILENCED.search(comment) and not REASONED.search(comment)
    )


def test_nothing_knows_the_machine_it_was_written_on() -> None:
    places = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w")
    texts = [*FILES, *TESTS, *ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    texts += [*(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.py"), *(ROOT / "bench" / "peers").rglob("*.py")]
    texts += [ROOT / "constraints.txt"]
    found(
        f"{name(path)}:{number} {line.strip()[:80]}"
        for path in texts
        if path.is_file() and path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if places.search(line)
    )


def test_packages_are_pinned_by_version_alone() -> None:
    pin = re.compile(r"[\w.-]+==[\w.+!-]+")
    found(line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not pin.fullmatch(line))


def test_the_lock_names_no_address() -> None:
    assert "://" not in (ROOT / "package-lock.json").read_text("utf-8")


def test_helpers_of_tests_have_names_of_their_own() -> None:
    """They lie on one path: two of one name, and whoever is asked first answers for both."""
    seen: dict[str, Path] = {}
    helpers = [p for p in TESTS if not p.name.startswith("test_") and p.name not in ("__init__.py", "conftest.py")]
    found(f"{name(path)} and {name(seen[path.name])}" for path in helpers if seen.setdefault(path.name, path) != path)


# -- the vocabulary


@pytest.mark.parametrize("word", cheng.__all__)
def test_every_word_has_its_line(word: str) -> None:
    said = getattr(cheng, word).__doc__
    assert said, f"cheng.{word} has no docstring"
    assert re.search(rf"^    [\w, ]*\b{word}\b", cheng.__doc__ or "", re.MULTILINE), f"{word} has no line in cheng"


def test_the_vocabulary_is_small() -> None:
    assert 20 <= len(cheng.__all__) <= 40


# -- the applications


def test_everything_declared_is_complete() -> None:
    found(str(problem) for problem in checks.check(ROOT))


def test_what_is_written_from_the_declarations_is_written_the_same_again() -> None:
    model = load_model()
    assert checks.pages(model) == checks.pages(model)


@pytest.mark.parametrize("path", APPS, ids=name)
def test_an_application_says_only_what_the_house_taught_it(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    modules = {
        module
        for node in ast.walk(tree)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert {m for m in modules if m.startswith("cheng")} <= {"cheng"} | {m for m in modules if "cheng.methods" in m}


# -- the order of the house


def test_layers_hold() -> None:
    """In a process of its own: import-linter switches every logger off."""
    asked = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_list_names_the_applications() -> None:
    """The file is the registration: outside its own homes, no module of the house spells an application's name."""
    names = {path.stem for path in APPS}
    found(
        f"{name(path)}:{node.lineno} {node.value!r}"
        for path in FILES
        if not {"apps", "demo"} & {*path.parts} and path.stem not in names
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    )
