"""One list of hotlines for everything that names one."""

import re
import subprocess

from common.code import REPO
from common.human_help import human_help

# Data and tests of masking hold numbers as texts do.
_TEXTS = ("data_prep/sample_corpus/", "data_prep/anonymise/", "tests/", "docs/")


def test_readme_names_every_number_and_no_other() -> None:
    note = (REPO / "README.md").read_text(encoding="utf-8").split("## ")[0]
    shown = human_help()
    assert shown.hotlines_zh("**") in note
    assert sorted(re.findall(r"\*\*(\d+)\*\*", note)) == sorted(shown.numbers)


def test_no_code_names_a_number_of_its_own() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True).stdout.split()
    hotlines = "|".join(contact.number for contact in human_help().hotlines)
    named = [
        name
        for name in files
        if name.endswith((".py", ".yaml", ".jinja", ".js"))
        and not name.startswith((*_TEXTS, "common/human_help/"))
        and re.search(hotlines, (REPO / name).read_text(encoding="utf-8"))
    ]
    assert named == []


def test_every_number_has_its_source_and_day() -> None:
    shown = human_help()
    for contact in (*shown.hotlines, *shown.emergency):
        assert contact.source
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", contact.checked)
