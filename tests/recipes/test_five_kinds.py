"""One run with five kinds of models, from their replies to both rankings, through the same frameworks as any run.

The kinds: the Chain of Empathy; reasoning that is cut before its end in some replies; plain text; a text prompt without
a chat template; a server.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from common.code import REPO
from common.label_studio import ACCOUNTS, Server, accounts
from common.records.rankings import read_rankings
from common.records.replies import read_models, unfinished_replies
from eval.results import Result
from tests.browser import FLAGS
from tests.common.chat_server.served import served
from tests.eval.human.test_browser import logged_in, opened, submit

MODELS = ("SFT", "thinker", "plain", "text", "server")
QUESTIONS = 3

pytestmark = pytest.mark.slow


def command(root: Path, name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"recipes.{name}", "profile=tiny", f"out={root}", *arguments]


def recipe(root: Path, name: str, *arguments: str) -> str:
    done = subprocess.run(command(root, name, *arguments), cwd=REPO, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose SFT model and reward models are trained, briefly."""
    root = tmp_path_factory.mktemp("five")
    recipe(root, "data", "test_size=10")
    recipe(root, "sft", "max_steps=60")
    recipe(root, "reward_model")
    static = ("encoder=static", "tokens=null", "whiten=null", "training.learning_rate=0.0025")
    recipe(root, "heldout_reward_model", *static)
    return root


@contextmanager
def ranking_served(root: Path, port: int) -> Iterator[str]:
    """`make ranking` under way; the address of the first page."""
    study = command(root, "ranking", "annotators=[anna]", f"questions={QUESTIONS}", "attention_every=0", f"port={port}")
    process = subprocess.Popen(study, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "anna ranks" in line:
                yield line.split(" at ")[1].strip()
                return
        raise AssertionError("".join(lines))
    finally:
        process.terminate()
        process.wait(60)


def test_from_replies_to_both_rankings(root: Path, tmp_path: Path, chromium: str, label_studio: Path) -> None:
    base = REPO / "recipes" / "tiny_base" / "model"
    with served("good", tmp_path / "paid.jsonl") as server:
        recipe(
            root,
            "generate",
            f"models=[{','.join(MODELS)}]",
            "samples=1",
            f"entries.thinker.model={base}",
            "entries.thinker.kind=think",
            "entries.thinker.template_kwargs.enable_thinking=true",
            "entries.thinker.sampling.max_tokens=300",
            f"entries.plain.model={base}",
            "entries.plain.template_kwargs.enable_thinking=false",
            f"entries.text.model={base}",
            "entries.text.text_prompt='来信：{post}\n回复：'",
            "entries.server.model=m",
            f"entries.server.base_url={server.url}",
        )
        assert [model.kind for model in read_models(root / "generate")] == ["coe", "think", "plain", "plain", "plain"]
        recipe(root, "eval")
        results = {name: Result.read(root / "eval" / f"{name.lower()}.zh.json") for name in MODELS}
        assert results["thinker"].faults.get("unfinished_reasoning", 0) > 0
        assert 0 < results["thinker"].figures["visible"].mean < 1
        assert not results["server"].faults
        for name in ("thinker", "plain", "text", "server"):
            assert "reward" not in results[name].figures
        assert "reward" in results["SFT"].figures
        replies = (root / "eval" / "replies.md").read_text(encoding="utf-8")
        shown = replies.split("### plain")[1].split("###")[0]
        assert "Not a valid output" not in shown
        recipe(root, "judge", "judge_model=m", f"base_url={server.url}", f"questions={QUESTIONS}")
    judgement = json.loads((root / "judge" / "judge.json").read_text(encoding="utf-8"))
    assert set(judgement["models"]) == set(MODELS)
    rank(root, chromium, label_studio)
    assert len(read_rankings(root / "ranking" / "rankings.jsonl")) == QUESTIONS
    recipe(root, "report")
    page = (root / "report" / "report.html").read_text(encoding="utf-8")
    for section in ("ranking", "judge"):
        assert f'<section id="{section}">' in page
    for name in MODELS:
        assert f">{name}<" in page


def test_a_base_that_never_writes_the_format_is_stopped_before_grpo(root: Path) -> None:
    base = REPO / "recipes" / "tiny_base" / "model"
    asked = command(root, "preflight", "sample=8", f"recipe.init_model='{base}'")
    done = subprocess.run(asked, cwd=REPO, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1, done.stderr
    assert re.search(r"stop +format: 0\.0% of 32 outputs are valid", done.stdout), done.stdout
    assert re.search(r"ok +reward: 0\.\d\d on average, 2 at most", done.stdout)
    assert re.search(r" groups: \d+\.\d% of 8 tie", done.stdout)
    assert re.search(r" responses: \d+ tokens in the middle, \d+ at 99 %, 400 at most", done.stdout)
    assert len(unfinished_replies(root / "preflight" / "policy.replies.jsonl")) == 32


def rank(root: Path, chromium: str, label_studio: Path) -> None:
    """Anna submits every page, and her work is exported."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ranking_served(root, port) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        account = accounts(root / "ranking" / ACCOUNTS, [])["anna"]
        where = Server(root / "ranking" / "label-studio", label_studio, port=port)
        tab = logged_in(browser, (where, account), 1440)
        opened(tab, address)
        for _ in range(QUESTIONS):
            submit(tab)
        browser.close()
    # The port is free once the server has gone.
    time.sleep(2)
    recipe(root, "ranking", "action=export", f"port={port}")
