"""The story of a heap of rubbish once more, in a city of its own: everybody has a phone and reads Chinese."""

import pytest
from test_urban_management import Open, served, signed_in_as, story, town

from cheng.testing import Town

__all__ = ["served", "signed_in_as", "town"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_the_report_to_the_close_and_back_on_phones(
    open_page: Open,
    town: Town,  # the fixture
) -> None:
    story(open_page, town, narrow=True, lang="zh_CN")
