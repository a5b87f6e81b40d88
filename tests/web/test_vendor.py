"""What browsers load is fetched once, by version."""

import json
from pathlib import Path

import pytest

from cheng.web import vendor


def test_the_copies_are_those_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, folder = tmp_path / "root", tmp_path / "vendor"
    (root / "node_modules" / "a").mkdir(parents=True)
    (root / "node_modules" / "a" / "a.js").write_text("1", "utf-8")
    (root / "package.json").write_text(json.dumps({"vendor": {"a/a.js": "a.js", "a": "whole"}}), "utf-8")
    (root / "package-lock.json").write_text("{}", "utf-8")
    calls: list[list[str]] = []
    monkeypatch.setattr(vendor.subprocess, "run", lambda command, **_: calls.append(command))
    assert vendor.fetch(root, folder)
    assert (folder / "a.js").read_text("utf-8") == (folder / "whole" / "a.js").read_text("utf-8") == "1"
    assert not vendor.fetch(root, folder), "nothing to do"
    (root / "package-lock.json").write_text("{ }", "utf-8")
    assert vendor.fetch(root, folder), "another lock, other copies"
    assert [command[-4:] for command in calls] == [["ci", "--ignore-scripts", "--no-audit", "--no-fund"]] * 2


def test_the_lock_names_versions_and_no_addresses() -> None:
    lock = json.loads((vendor.ROOT / "package-lock.json").read_text("utf-8"))
    assert "resolved" not in json.dumps(lock)
    assert all("integrity" in each for name, each in lock["packages"].items() if name)
