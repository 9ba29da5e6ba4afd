"""From a corpus to an SFT model on chains of its own: a scripted teacher behind faults, a reviewer in Chromium, a set.

The reviewer works by keyboard; the server is killed in the middle, and the same command goes on.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, sync_playwright

from common.code import REPO
from common.label_studio import ACCOUNTS, LabelStudio, Server, accounts
from data_prep.coe.drawing import training_questions
from data_prep.coe.measure import as_text
from data_prep.coe.review.conduct import TITLE
from tests.browser import FLAGS
from tests.common.chat_server.served import faulty
from tests.eval.human.test_browser import SUBMIT, logged_in
from tests.recipes.test_five_kinds import command, recipe

CHAINS: Final = 11
REJECTED: Final = 3
TYPED: Final = "她也很累。"
ENGLISH: Final = "<L1>She is sad.</L1><L2>She thinks so.</L2><L3>Comfort.</L3><L4>Comfort her.</L4>"
PATIENT: Final = ("retries=12", "backoff_s=0", "longest_pause_s=0", "timeout_s=2", "concurrency=2")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with data and with chains of the teacher's."""
    root = tmp_path_factory.mktemp("own")
    recipe(root, "data", "test_size=10", "train_on=[]")
    own = training_questions(root / "data" / "questions.parquet")
    texts = {
        question.post: [ENGLISH if number % 3 == 0 else as_text(question.coe), as_text(question.coe)]
        for number, question in enumerate(own)
        if question.coe
    }
    file = root / "texts.json"
    file.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    with (
        faulty("teacher", str(file), root / "teacher.log") as teacher,
        faulty("proxy", teacher.url, root / "proxy.log") as proxy,
    ):
        asked = ("teacher=m", f"base_url={proxy.url}", "api_key_env=", f"chains={CHAINS}", "response=first")
        recipe(root, "coe", *asked, *PATIENT)
        lines = (root / "coe" / "teacher.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(proxy.paid)
    return root


@contextmanager
def review_served(root: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`make review` under way; its process and the address of anna's next page."""
    started = command(root, "review", "reviewers=[anna]", "trial=false", f"port={port}", "start_limit_s=600")
    process = subprocess.Popen(started, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "anna has" in line:
                yield process, line.rpartition(" at ")[2].strip()
                return
        raise AssertionError("".join(lines))
    finally:
        process.kill()
        process.wait(60)


def opened(tab: Page, address: str) -> None:
    tab.goto(address)
    tab.wait_for_selector("[data-testid=htx-textbox-input], textarea")
    tab.wait_for_selector(".lsf-modal-ls__title")
    tab.keyboard.press("Escape")
    tab.wait_for_selector(".lsf-modal-ls__title", state="detached")


def judged(tab: Page, typed: str = "", reject: bool = False) -> None:
    """One page, by keyboard but for the rating."""
    progress = tab.inner_text(".progress")
    if typed:
        tab.focus("textarea >> nth=0")
        tab.keyboard.press("Control+End")
        tab.keyboard.type(typed)
        tab.keyboard.press("Tab")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("3" if reject else "2" if typed else "1")
    if reject:
        tab.get_by_text("空泛，换一封信也可以").click()
    tab.get_by_text("2 不太合理" if reject else "4 合理").click()
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("Control+Enter")
    tab.wait_for_function(
        "number => !document.querySelector('.progress') || document.querySelector('.progress').innerText !== number",
        arg=progress,
    )


def arrived(where: Server, token: str, count: int) -> None:
    """Wait until the server has as many pages: the browser goes on before it has answered."""
    studio = LabelStudio(where.url, token)
    for _ in range(60):
        if sum(bool(task["annotations"]) for task in studio.tasks_with_annotations(TITLE)) == count:
            return
        time.sleep(1)
    raise AssertionError(f"{count} pages have not arrived")


def test_from_chains_to_a_model_trained_on_them(root: Path, chromium: str, label_studio: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = Server(root / "review" / "label-studio", label_studio, port=port)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        with review_served(root, port) as (process, address):
            account = accounts(root / "review" / ACCOUNTS, [])["anna"]
            tab = logged_in(browser, (where, account), 1440)
            opened(tab, address)
            assert tab.inner_text(".progress") == f"第 1 页，共 {CHAINS} 页"
            for number in range(8):
                judged(tab, TYPED if number == 0 else "", reject=number == REJECTED)
            arrived(where, account.token, 8)
            # As the out-of-memory killer would end it.
            process.kill()
            process.wait(60)
            tab.context.close()
        time.sleep(3)
        with review_served(root, port) as (_, address):
            tab = logged_in(browser, (where, account), 1440)
            opened(tab, address)
            assert tab.inner_text(".progress") == f"第 9 页，共 {CHAINS} 页"
            judged(tab, TYPED)
            judged(tab, TYPED)
            judged(tab)
            tab.wait_for_selector(SUBMIT, state="detached")
            arrived(where, account.token, CHAINS)
            tab.context.close()
        browser.close()
    time.sleep(3)
    recipe(root, "review", "action=export", f"port={port}")
    written = (root / "review" / "coe_set.jsonl").read_bytes()
    lines: list[dict[str, Any]] = [json.loads(line) for line in written.decode().splitlines()]
    assert len(lines) == CHAINS - 1
    edited = [line for line in lines if line["provenance"]["decision"] == "revise"]
    assert len(edited) == 3
    for line in lines:
        made = line["provenance"]
        assert (made["teacher"], made["prompt_version"], made["reviewer"]) == ("m", 1, "anna")
        before, after = made["teacher_wrote"], line["coe"]
        assert (after["L1"] == before["L1"] + TYPED) == (line in edited)
        assert made["edit"] == ({"L1": [["", TYPED]]} if line in edited else {})
    time.sleep(3)
    recipe(root, "review", "action=export", f"port={port}")
    assert (root / "review" / "coe_set.jsonl").read_bytes() == written
    recipe(root, "data", "test_size=10", "train_on=[]", f"coe={root / 'review' / 'coe_set.jsonl'}")
    samples = json.loads((root / "data" / "sft.json").read_text(encoding="utf-8"))
    assert 0 < len(samples) <= CHAINS - 1
    known = {line["coe"]["L1"] for line in lines}
    assert all(any(first in json.dumps(sample, ensure_ascii=False) for first in known) for sample in samples)
    recipe(root, "sft", "max_steps=2")
