"""What a test needs from the machine: missing means skipped with a plain line, or failed where it is required."""

import os

import pytest


def need(name: str, found: bool, why: str) -> None:
    """Skip the test when `name` is not `found`; fail it when CHENG_REQUIRE lists `name` (or says `all`)."""
    if found:
        return
    required = {word.strip() for word in os.environ.get("CHENG_REQUIRE", "").split(",")}
    if name in required or "all" in required:
        pytest.fail(f"{name} is required and missing: {why}", pytrace=False)
    pytest.skip(why)
