"""Every text for people about cases and indicators has its Chinese, with the same blanks."""

import ast
import inspect
from importlib.resources import files
from string import Formatter
from types import ModuleType

import pytest
from babel.messages.pofile import read_po

from cheng.infrastructure import case_book, case_lists
from cheng.kernel import cases, guards, needs
from cheng.kernel.indicators import MEASURES


def texts_of(module: ModuleType) -> set[str]:
    """Sentences in the code of a module, docstrings left out."""
    tree = ast.parse(inspect.getsource(module))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    words = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return {word for word in words if isinstance(word, str) and word.endswith(".") and " " in word}


def chinese(name: str) -> dict[str, str]:
    with files("cheng").joinpath("locale", "zh_CN", f"{name}.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


CASES = {text for module in (cases, guards, needs, case_book, case_lists) for text in texts_of(module)}
TITLES = {verb.title for verb in cases.VERBS.values()}
WORDS = {measure.numerator for kind in MEASURES.values() for measure in kind.values()}
WORDS |= {measure.denominator for kind in MEASURES.values() for measure in kind.values()} - {""}


@pytest.mark.parametrize(("name", "texts"), [("cases", CASES | TITLES), ("indicators", WORDS)])
def test_every_text_is_there_in_chinese_and_none_too_many(name: str, texts: set[str]) -> None:
    known = chinese(name)
    assert texts - known.keys() == set()
    assert known.keys() - texts == set()
    for english, translated in known.items():
        assert translated
        assert blanks(english) == blanks(translated)
