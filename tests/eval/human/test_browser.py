"""A scripted annotator ranks in headless Chromium, and the export reaches the table.

Needs what the project itself does not: `make label-studio-env`, `pip install playwright`, and a Chromium.
"""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.code import REPO
from eval.human.analysis import analyse
from eval.human.conduct import write_study
from eval.human.server import Annotator, LabelStudio, Server, accounts
from eval.human.study import instructions, page, pages, rankings_of
from eval.replies import BlindItem
from eval.tables import read_standings

ENVIRONMENT = REPO / ".venv-label-studio"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
ITEMS = [BlindItem(f"q{n}", f"来信{n}", n == 1, {"good": "听起来你很难过。", "bad": f"胡说{n}。"}) for n in range(4)]
REPLY = ".htx-ranker-item"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ENVIRONMENT / "bin" / "label-studio").is_file(), reason="make label-studio-env"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, Annotator]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Server(tmp_path / "label-studio", ENVIRONMENT, port=port)
    account = accounts(tmp_path / "accounts.json", ["anna"])["anna"]
    found.add_accounts([account])
    with found.running():
        yield found, account


def drag_last(browser_page: Any, wanted: str) -> None:
    """Put the reply that holds a text last, as a person would."""
    shown = browser_page.query_selector_all(REPLY)
    place = next(n for n, reply in enumerate(shown) if wanted in reply.inner_text())
    if place == len(shown) - 1:
        return
    start, end = shown[place].bounding_box(), shown[-1].bounding_box()
    mouse = browser_page.mouse
    mouse.move(start["x"] + 60, start["y"] + 12)
    mouse.down()
    mouse.move(start["x"] + 62, start["y"] + 30, steps=5)
    mouse.move(end["x"] + 62, end["y"] + end["height"] - 6, steps=25)
    browser_page.wait_for_timeout(300)
    mouse.up()
    browser_page.wait_for_timeout(700)


def test_dragged_submitted_exported(server: tuple[Server, Annotator], tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    studio_server, account = server
    own = pages("anna", ITEMS[:3], ITEMS[3:], 7)
    studio = LabelStudio(studio_server.url, account.token)
    project = studio.project("study", page(), instructions())
    assert studio.add_tasks(project, [one.task() for one in own]) == 4
    assert studio.add_tasks(project, [one.task() for one in own]) == 0
    address = f"{studio_server.url}/projects/{project}/data?labeling=1"
    outside: list[str] = []
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1400, "height": 1800})
        own_urls = (studio_server.url, "data:", "blob:")
        tab.on("request", lambda asked: None if asked.url.startswith(own_urls) else outside.append(asked.url))
        tab.goto(f"{studio_server.url}/user/login/")
        tab.fill("input[name=email]", account.email)
        tab.fill("input[name=password]", account.password)
        tab.click("button[type=submit]")
        tab.wait_for_load_state("networkidle")
        tab.goto(address)
        tab.wait_for_selector(REPLY)
        tab.keyboard.press("Escape")
        for number in range(4):
            texts = [reply.inner_text() for reply in tab.query_selector_all(REPLY)]
            drag_last(tab, "排在最后" if any("排在最后" in text for text in texts) else "胡说")
            if number == 0:
                # A draft is saved by itself: what was dragged is there after the page is loaded again.
                dragged = [reply.inner_text() for reply in tab.query_selector_all(REPLY)]
                tab.wait_for_timeout(4000)
                tab.goto(address)
                tab.wait_for_selector(REPLY)
                tab.keyboard.press("Escape")
                assert [reply.inner_text() for reply in tab.query_selector_all(REPLY)] == dragged
            tab.get_by_role("button", name="Submit").first.click()
            tab.wait_for_timeout(2500)
        browser.close()
    assert outside == []
    rankings, left = rankings_of("anna", own, studio.tasks_with_annotations("study"))
    assert left.skipped == []
    assert {ranking.order for ranking in rankings if not ranking.attention} == {("good", "bad")}
    assert [ranking.passed for ranking in rankings if ranking.attention] == [True]
    write_study(tmp_path, analyse(rankings, 1, strength_resamples=2), "sample", {})
    assert read_standings(tmp_path / "ranking.json")[1]["good"]["win_1"].mean == 100.0
