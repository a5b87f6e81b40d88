"""The four homes of a new application, filled in so that its tests pass at once."""

import importlib
import io
import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from babel.messages.pofile import read_po, write_po

from cheng.checks import FOREIGN, Homes, write_pages
from cheng.infrastructure.loader import load_model
from cheng.kernel.model import Model
from cheng.kernel.specs import App, did_you_mean, title_of
from cheng.standards.problems import Refused
from cheng.telling import FAMILY_TITLES, languages, tell
from cheng.web.texts import LANGUAGES

TEMPLATES = Path(__file__).parent
FAMILIES = [family for family in FAMILY_TITLES if family != "kernel"]
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
FIRST_SYSTEM = {"livelihood": "L1", "city": "G1", "government": "V1", "industry": "I1", "ecology": "E1"}


@dataclass(frozen=True)
class Wish:
    """What is known of the application to be."""

    family: str
    name: str
    title: str = ""
    chinese: str = ""
    thing: str = ""
    owner: str = "Operations centre"
    system: str = ""

    def words(self) -> dict[str, str]:
        """What fills the blanks of the templates."""
        title = self.title or title_of(self.name)
        thing = self.thing or "".join(part.capitalize() for part in self.name.split("_")).removesuffix("s")
        purpose = f"Watches {title[0].lower()}{title[1:]}, sends a crew where it is needed, and has it looked at again."
        chinese = self.chinese or title
        owner_chinese = languages()[FOREIGN[0]].gettext(self.owner)
        return {
            "family": self.family,
            "name": self.name,
            "title": title,
            "chinese": chinese,
            "thing": thing,
            "thing_title": title_of(thing),
            "owner": self.owner,
            "owner_chinese": owner_chinese,
            "system": self.system or FIRST_SYSTEM[self.family],
            "purpose": purpose,
        }


def create(wish: Wish, root: Path) -> list[Path]:
    """Writes module, story, demo, Chinese texts and page below `root`; their places.

    Refused when the family or name cannot be, or anything of it is there already; nothing is written then.
    """
    model = load_model()
    check_wish(wish, model)
    words = wish.words()
    check_thing(words["thing"], model)
    homes = Homes.of(wish.family, wish.name)
    files = {
        homes.module: filled("module.py.txt", words),
        homes.story: filled("test.py.txt", words),
        homes.demo: filled("demo.py.txt", words),
        Path(f"src/cheng/locale/zh_CN/{wish.family}-{wish.name}.po"): new_texts(filled("zh_CN.po.txt", words)),
    }
    for place in (*files, homes.page):
        if (root / place).exists():
            raise Refused("there-already", "{file} is there already.", {"file": str(place)})
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text, "utf-8")
    importlib.invalidate_caches()
    model = load_model()
    (root / homes.page).parent.mkdir(parents=True, exist_ok=True)
    (root / homes.page).write_text(page(model, model.apps[f"{wish.family}/{wish.name}"]), "utf-8")
    return [*files, homes.page, *write_pages(model, root)]


def page(model: Model, app: type[App]) -> str:
    """A page to begin with: what the declarations say, in every language."""
    known = languages()
    return "\n---\n\n".join(tell(model, app, known[code]) for code in reversed(LANGUAGES))


def filled(template: str, words: dict[str, str]) -> str:
    return Template((TEMPLATES / template).read_text("utf-8")).substitute(words)


def new_texts(catalogue: str) -> str:
    """The texts of a catalogue that the house has no words for yet; two files never say the same text twice."""
    known = languages()[FOREIGN[0]].texts
    texts = read_po(io.BytesIO(catalogue.encode()), locale=FOREIGN[0])
    for message in list(texts):
        if message.id in known:
            texts.delete(message.id)
    out = io.BytesIO()
    write_po(out, texts, width=0, omit_header=True)
    head = catalogue.split("\n\n", 1)[0]
    return f"{head}\n\n{out.getvalue().decode().strip()}\n"


def check_wish(wish: Wish, model: Model) -> None:
    if wish.family not in FAMILIES:
        values = {"family": wish.family, "hint": did_you_mean(wish.family, FAMILIES)}
        raise Refused("no-family", "There is no family '{family}'; {hint}.", values, status=422)
    if not NAME.fullmatch(wish.name) or keyword.iskeyword(wish.name):
        message = "'{name}' cannot be the name of an application; write small letters and underscores: bus_shelters."
        raise Refused("no-name", message, {"name": wish.name}, status=422)
    taken = {app.__name__: key for key, app in model.apps.items()}
    if wish.name in taken:
        raise Refused("there-already", "There is already {app}.", {"app": taken[wish.name]})


def check_thing(thing: str, model: Model) -> None:
    if not thing.isidentifier() or not thing[0].isupper() or keyword.iskeyword(thing):
        message = "'{thing}' cannot be the name of a type; write it like --thing Shelter."
        raise Refused("no-name", message, {"thing": thing}, status=422)
    if thing in model.entities:
        place = model.entities[thing].app.__name__
        values = {"thing": thing, "app": place}
        raise Refused("there-already", "{app} already has a type '{thing}'; choose another with --thing.", values)
