"""`cheng check`: has everything that was declared its four homes, its texts and its page, and do they agree?

Everything wrong is said at once, each with its mend. What a machine can write by itself, `--write` writes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cheng
from cheng.infrastructure.loader import load_model
from cheng.kernel import house
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App
from cheng.standards.calendars import Calendar
from cheng.standards.problems import Problem, SpecError
from cheng.telling import FAMILY_TITLES, languages, texts_of
from cheng.web.texts import LANGUAGES, Language, missing_texts

PACKAGE = Path(cheng.__file__).parent
ROOT = PACKAGE.parents[1]
FOREIGN = [code for code in LANGUAGES if code != "en"]
"""Languages that need words of their own; English is what the code says."""
NAMED = 3
"""Missing texts that are named; the rest is counted."""
MARK = "<!-- written by `cheng check --write` from the declarations; change those -->"


@dataclass(frozen=True)
class Homes:
    """Where the four homes of an application lie, from the root of the source tree."""

    module: Path
    story: Path
    page: Path
    demo: Path

    @classmethod
    def of(cls, family: str, name: str) -> "Homes":
        return cls(
            Path("src/cheng/apps", family, f"{name}.py"),
            Path("tests/apps", family, f"test_{name}.py"),
            Path("docs/apps", family, f"{name}.md"),
            Path("src/cheng/demo", family, f"{name}.py"),
        )


def check(root: Path | None = None) -> list[Problem]:
    """Everything that is wrong. `root` is a source tree; None looks for one around the package.

    Without a source tree (an installed Cheng) the declarations and their texts alone are looked at.
    """
    try:
        model = load_model()
    except SpecError as error:
        return error.problems
    root = root or source_tree()
    return [
        *(problem for app in own_apps(model) for problem in of_app(model, app)),
        *(problem for app in own_apps(model) if root is not None for problem in homes_of(app, root)),
        *texts(model),
        *(pages_behind(model, root) if root is not None else ()),
    ]


def warnings(calendar: Calendar, now: int) -> list[Problem]:
    """What will have to be mended soon, and fails nothing today."""
    this = calendar.day(now).year
    hint = "bring Cheng up to date when the State Council's notice is out; until then plain weekends count"
    unknown = [year for year in (this, this + 1) if not calendar.known(year)]
    return [Problem("C008", f"the holidays of {year} are not known yet", "the calendar", hint) for year in unknown]


def source_tree() -> Path | None:
    """The root of the source tree we run from; None when we are installed."""
    return ROOT if (ROOT / "pyproject.toml").is_file() and (ROOT / "src" / "cheng").is_dir() else None


def own_apps(model: Model) -> list[type[App]]:
    """The applications in the order of their families' names, without the house's own."""
    return [app for key, app in sorted(model.apps.items()) if app is not house.house]


# -- one application


def of_app(model: Model, app: type[App]) -> Iterator[Problem]:
    """What an application lacks in itself."""
    if not app.owner.strip():
        yield Problem("C001", f"application {app.__name__} has no owner", app.place(), "name the department")
    for spec in model.of_app(app):
        if issubclass(spec, Rule) and not spec.basis.strip():
            hint = "name the law, standard or duty rule it rests on"
            yield Problem("C002", f"rule {spec.__name__} has no basis", spec.place(), hint)


def homes_of(app: type[App], root: Path) -> Iterator[Problem]:
    """What an application lacks around itself; one of another package has its homes there."""
    homes = Homes.of(app.family, app.__name__)
    if not (root / homes.module).is_file():
        return
    if not (root / homes.story).is_file():
        hint = "tell in a test what it does, from a reading to a closed case"
        yield Problem("C003", f"application {app.__name__} has no story", str(homes.story), hint)
    if not (root / homes.page).is_file():
        hint = "write for those who run it: register, devices, what counts, what is done; begin with `cheng tell`"
        yield Problem("C006", f"application {app.__name__} has no page", str(homes.page), hint)
    if not (root / homes.demo).is_file():
        hint = "say how its things stand about and what they report on an invented day"
        yield Problem("C004", f"application {app.__name__} has no demo", str(homes.demo), hint)


# -- texts


def texts(model: Model) -> Iterator[Problem]:
    """Texts that a language has no words for: of each application, then of the house's own pages and messages."""
    known = languages()
    for code in FOREIGN:
        for app in model.apps.values():
            missing = list(dict.fromkeys(untold(texts_of(model, app), known[code])))
            if missing:
                yield lacking(f"application {app.__name__}", missing, code, f"{app.family}-{app.__name__}")
        missing = sorted(missing_texts(code=code))
        if missing:
            yield lacking("the house", missing, code, "the module that says it")


def untold(said: Iterable[str], language: Language) -> Iterator[str]:
    return (text for text in said if text and text not in language.texts and any(c.isalpha() for c in text))


def lacking(what: str, missing: list[str], code: str, module: str) -> Problem:
    named = ", ".join(repr(text) for text in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return Problem(
        "C005", f"{what} has no words in {code} for {named}{more}", "", f"add them to locale/{code}/{module}.po"
    )


# -- pages that are written from the declarations


def pages(model: Model) -> dict[Path, str]:
    """The pages below docs/ that the declarations say, by their place from the root."""
    return {Path("docs/135.md"): drawing(model, languages())}


def drawing(model: Model, known: dict[str, Language]) -> str:
    """The drawing of the city: one hub, three supports, five families, and the systems that run of each."""
    _, chinese = known["en"].gettext, known[FOREIGN[0]].gettext
    lines = [MARK, "", "# 135", "", "One hub, three supports, five families: what runs of the city's drawing.", ""]
    lines += ["一个中枢、三大支撑、五大板块：城市蓝图里已经运行的系统。"]
    families: dict[str, list[type[App]]] = {}
    for app in model.apps.values():
        families.setdefault(app.family, []).append(app)
    for family in FAMILY_TITLES:
        title = FAMILY_TITLES[family]
        lines += ["", f"## {title} · {chinese(title)}", "", "| System | Application | Answers for it | What it does |"]
        lines += ["|---|---|---|---|"]
        apps = sorted(
            families.get(family, []), key=lambda app: (app.system[:1], int(app.system[1:] or 0), app.__name__)
        )
        for app in apps:
            page = f"apps/{app.family}/{app.__name__}.md"
            name = f"{app.title} · {chinese(app.title)}" if chinese(app.title) != app.title else app.title
            name = name if app is house.house else f"[{name}]({page})"
            lines.append(f"| {app.system} | {name} | {chinese(app.owner)} | {app.sentence()} |")
    return "\n".join(lines) + "\n"


def pages_behind(model: Model, root: Path) -> Iterator[Problem]:
    """Written pages that are missing, or say something else than the declarations."""
    for place, text in pages(model).items():
        file = root / place
        if parts_of(file)[1] != text:
            what = "is behind" if file.is_file() else "is missing"
            yield Problem("C007", f"the page {place} {what}", str(place), "run: cheng check --write")


def parts_of(file: Path) -> tuple[str, str]:
    """What people wrote at the head of a page, and what was drawn below it; both empty when there is no page."""
    told = file.read_text("utf-8") if file.is_file() else ""
    head, mark, drawn = told.partition(MARK)
    return head, mark + drawn


def write_pages(model: Model, root: Path) -> list[Path]:
    """Writes the pages that are missing or behind, below what people wrote at their head; their places."""
    written = []
    for place, text in pages(model).items():
        file = root / place
        head, drawn = parts_of(file)
        if drawn != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{head.rstrip()}\n\n{text}" if head.strip() else text, "utf-8")
            written.append(place)
    return written
