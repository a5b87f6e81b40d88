"""Words in two languages."""

import re
from pathlib import Path

import pytest

from cheng.web.texts import Catalogues, Language, missing_texts, preferences

PO = """
msgid ""
msgstr ""
"Language: zh_CN\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Good morning, {name}."
msgstr "早上好，{name}。"

msgid "{n} case"
msgid_plural "{n} cases"
msgstr[0] "{n} 件"

#, fuzzy
msgid "Perhaps"
msgstr "也许"
"""


@pytest.fixture
def languages(tmp_path: Path) -> Catalogues:
    (tmp_path / "zh_CN").mkdir()
    (tmp_path / "zh_CN" / "desk.po").write_text(PO, "utf-8")
    second = PO.replace("早上好，{name}。", "您好，{name}。")
    (tmp_path / "zh_CN" / "portal.po").write_text(second, "utf-8")
    return Catalogues.load(tmp_path)


def test_texts_of_all_files_are_merged_and_conflicts_are_named(languages: Catalogues) -> None:
    chinese = languages.languages["zh_CN"]
    assert chinese.gettext("Good morning, {name}.", name="李伟") == "早上好，李伟。"
    assert chinese.ngettext("{n} case", "{n} cases", 3) == "3 件"
    assert chinese.gettext("Perhaps") == "Perhaps", "a fuzzy text is not used"
    assert languages.conflicts == ("portal.po: Good morning, {name}.",)


def test_english_needs_no_catalogue(languages: Catalogues) -> None:
    english = languages.languages["en"]
    assert english.ngettext("{n} case", "{n} cases", 1) == "1 case"
    assert english.ngettext("{n} case", "{n} cases", 12345) == "12,345 cases"


@pytest.mark.parametrize(
    ("text", "values", "shown"),
    [
        ("{count} late", {"count": 3}, "3 late"),
        ("{count} late", {}, "{count} late"),
        ("{tilt:.1f} degrees", {"tilt": 15.04}, "15.0 degrees"),
        ("{tilt:.1f} degrees", {"tilt": "steep"}, "steep degrees"),
        ("an open { brace", {"x": 1}, "an open { brace"),
        ("{0} and {}", {"x": 1}, "{0} and {}"),
        ("{x.__class__}", {"x": 1}, "<class 'int'>"),
        ("{value}", {"value": 0.1 + 0.2}, "0.3"),
        ("{value}", {"value": True}, "True"),
    ],
)
def test_blanks_do_no_harm(text: str, values: dict[str, object], shown: str) -> None:
    assert Language("en").gettext(text, **values) == shown


def test_the_readers_choice_goes_before_what_the_browser_says(languages: Catalogues) -> None:
    assert languages.best("en", "zh-CN", "zh_CN").code == "en"
    assert languages.best(None, "fr, en;q=0.4, zh-TW;q=0.8", "en").code == "zh_CN"
    assert languages.best("../../etc", "tlh", "zh_CN").code == "zh_CN"
    assert preferences("de;q=0, en;q=oops, zh-cn") == ["zh-cn"]


def test_every_text_of_the_pages_has_its_chinese() -> None:
    ours = ("web/templates/base.html", "web/templates/house/", "web/templates/macros/", "web/house/")
    lacking = {text for text, places in missing_texts().items() if any(p.startswith(ours) for p in places)}
    top = {text for text, places in missing_texts().items() if any(re.match(r"web/\w+\.py", p) for p in places)}
    assert not lacking | top


def test_missing_texts_are_found_in_code_and_templates(tmp_path: Path) -> None:
    (tmp_path / "web" / "templates").mkdir(parents=True)
    (tmp_path / "web" / "templates" / "a.html").write_text('{{ _("One") }}{{ ngettext("Two", "Twos", 2) }}', "utf-8")
    code = (
        'message = "Three"\nraise Refused("x", "Four")\nTITLES = {1: "Five"}\nask._("Six")\n'
        'ROLES = ((1, "Seven", "-"),)\n'
    )
    (tmp_path / "b.py").write_text(code, "utf-8")
    found = missing_texts(["Eight"], source=tmp_path)
    assert set(found) == {"One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"}
