"""Scripted annotators rank in headless Chromium, by mouse, touch and keyboard; the export reaches the table.

Needs `make label-studio-env` and the system's own Chromium, see `tests.browser`.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from common.label_studio import Annotator, LabelStudio, Server, accounts
from eval.human.analysis import analyse
from eval.human.conduct import write_study
from eval.human.page import BRIEFLY, instructions, page
from eval.human.study import Page as StudyPage
from eval.human.study import pages, rankings_of
from eval.replies import BlindItem
from eval.tables import read_standings
from tests.browser import FLAGS

REPLY: Final = ".htx-ranker-item"
SUBMIT: Final = "[data-testid=bottombar-submit-button]"
DONE: Final = "No More Tasks Left in Queue"
NEXT: Final = """([number, done]) => document.querySelector('.progress')
  ? document.querySelector('.progress').innerText !== number : document.body.innerText.includes(done)"""
LONG: Final = "最近一到晚上就睡不着，想的都是白天没有做好的事情。"

pytestmark = pytest.mark.slow


def items(count: int) -> list[BlindItem]:
    """Questions, the second of them at risk, each with a good and a bad reply."""
    replies = {"good": "听起来你很难过。", "bad": "胡说。"}
    return [BlindItem(f"q{n}", f"来信{n}。{LONG * 3}", n == 1, replies) for n in range(count)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, label_studio: Path) -> Iterator[tuple[Server, Annotator]]:
    folder = tmp_path_factory.mktemp("study")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Server(folder / "label-studio", label_studio, port=port, limit_s=900.0)
    account = accounts(folder / "accounts.json", ["anna"])["anna"]
    found.add_accounts([account])
    with found.running():
        yield found, account


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield found
        found.close()


def uploaded(server: tuple[Server, Annotator], title: str, own: list[StudyPage]) -> tuple[LabelStudio, str]:
    """A project with these pages: its Label Studio, and the address of its first page."""
    studio = LabelStudio(server[0].url, server[1].token)
    project = studio.project(title, page(len(own)), instructions())
    assert studio.add_tasks(project, [one.task() for one in own]) == len(own)
    assert studio.add_tasks(project, [one.task() for one in own]) == 0
    return studio, f"{server[0].url}/projects/{project}/data?labeling=1"


def logged_in(browser: Browser, server: tuple[Server, Annotator], width: int, *, touch: bool = False) -> Page:
    tab = browser.new_context(viewport={"width": width, "height": 844}, has_touch=touch).new_page()
    tab.goto(f"{server[0].url}/user/login/")
    tab.fill("input[name=email]", server[1].email)
    tab.fill("input[name=password]", server[1].password)
    tab.press("input[name=password]", "Enter")
    tab.wait_for_load_state("networkidle")
    return tab


def opened(tab: Page, address: str) -> None:
    """Open a page and close the instructions."""
    tab.goto(address)
    tab.wait_for_selector(REPLY)
    tab.wait_for_selector(".lsf-modal-ls__title")
    tab.keyboard.press("Escape")
    tab.wait_for_selector(".lsf-modal-ls__title", state="detached")


def shown(tab: Page) -> list[str]:
    return [reply.inner_text() for reply in tab.query_selector_all(REPLY)]


def submit(tab: Page) -> None:
    number = tab.inner_text(".progress")
    tab.click(SUBMIT)
    tab.wait_for_function(NEXT, arg=[number, DONE])
    tab.wait_for_selector(REPLY, state="attached" if tab.query_selector(".progress") else "detached")


def drag_last(tab: Page, wanted: str) -> None:
    """Put the reply that holds a text last, as a person with a mouse would."""
    replies = tab.query_selector_all(REPLY)
    place = next(n for n, text in enumerate(shown(tab)) if wanted in text)
    if place == len(replies) - 1:
        return
    replies[-1].scroll_into_view_if_needed()
    start, end = replies[place].bounding_box(), replies[-1].bounding_box()
    assert start is not None
    assert end is not None
    tab.mouse.move(start["x"] + 60, start["y"] + 12)
    tab.mouse.down()
    tab.mouse.move(start["x"] + 62, start["y"] + 30, steps=5)
    tab.mouse.move(end["x"] + 62, end["y"] + end["height"] - 6, steps=25)
    tab.wait_for_timeout(300)
    tab.mouse.up()
    tab.wait_for_timeout(700)


def test_dragged_submitted_exported(server: tuple[Server, Annotator], browser: Browser, tmp_path: Path) -> None:
    every = items(4)
    own = pages("anna", every[:3], every[3:], 7)
    studio, address = uploaded(server, "dragged", own)
    outside: list[str] = []
    tab = logged_in(browser, server, 1400)
    own_urls = (server[0].url, "data:", "blob:")
    tab.on("request", lambda asked: None if asked.url.startswith(own_urls) else outside.append(asked.url))
    opened(tab, address)
    for number in range(4):
        assert tab.inner_text(".progress") == f"第 {number + 1} 页，共 4 页"
        drag_last(tab, "排在最后" if any("排在最后" in text for text in shown(tab)) else "胡说")
        if number == 0:
            # A draft is saved by itself: what was dragged is there after the page is loaded again.
            dragged = shown(tab)
            tab.wait_for_timeout(4000)
            opened(tab, address)
            assert shown(tab) == dragged
        submit(tab)
    # The instructions name this text.
    assert DONE in instructions()
    tab.get_by_text(DONE).wait_for()
    tab.context.close()
    assert outside == []
    rankings, left = rankings_of("anna", own, studio.tasks_with_annotations("dragged"))
    assert left.skipped == []
    assert {ranking.order for ranking in rankings if not ranking.attention} == {("good", "bad")}
    assert [ranking.passed for ranking in rankings if ranking.attention] == [True]
    write_study(tmp_path, analyse(rankings, 1, strength_resamples=2), "sample", {})
    assert read_standings(tmp_path / "ranking.json")[1]["good"]["win_1"].mean == 100.0


# Texts that a person sees: those of a size, and what the style sheet puts beside them.
VISIBLE: Final = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const range = document.createRange();
    range.selectNodeContents(node);
    // The parent's box too: what only a screen reader hears stands in one of a pixel.
    const boxes = [...range.getClientRects(), node.parentElement.getBoundingClientRect()];
    const seen = boxes.length > 1 && boxes.every(box => box.width > 1 && box.height > 1);
    if (seen && getComputedStyle(node.parentElement).visibility === 'visible') found.push(node.data);
  }
  for (const element of document.querySelectorAll('body *')) {
    const content = getComputedStyle(element, '::after').content;
    if (content.startsWith('"') && element.offsetParent) found.push(content.slice(1, -1));
  }
  return found;
}"""
SIZE_OF: Final = "selector => parseFloat(getComputedStyle(document.querySelector(selector)).fontSize)"


def seen(tab: Page) -> str:
    texts: list[str] = tab.evaluate(VISIBLE)
    return "\n".join(texts)


def top(tab: Page, selector: str) -> float:
    box = tab.locator(selector).first.bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("width", [1440, 390])
def test_a_lay_annotator_sees_the_post_first_and_chinese(
    width: int, server: tuple[Server, Annotator], browser: Browser
) -> None:
    own = pages("anna", items(2), [], 7)
    studio, address = uploaded(server, f"seen at {width}", own)
    tab = logged_in(browser, server, width, touch=width == 390)
    tab.goto(address)
    tab.wait_for_selector(".lsf-modal-ls__title")
    tab.wait_for_selector(REPLY)
    assert "说明" in seen(tab)
    opened(tab, address)
    for number, one in enumerate(own, start=1):
        texts = seen(tab)
        # The annotator's initials, and TA, which stands for him or her.
        assert {word for word in texts.split() if word.isascii() and word.isalpha()} <= {"AN", "TA", "A", "B"}
        assert texts.count("12356") == 1 + one.item.at_risk
        for expected in (
            f"第 {number} 页，共 2 页",
            "求助者的来信",
            *BRIEFLY,
            "回复 A",
            "回复 B",
            "提交",
            "跳过",
            "说明",
        ):
            assert expected in texts
        assert not any(label in texts for label in one.labels)
        assert top(tab, ".post") < top(tab, ".criteria") < top(tab, REPLY)
        assert tab.evaluate(SIZE_OF, ".post .lsf-htx-richtext") > tab.evaluate(SIZE_OF, f"{REPLY} p")
        assert not tab.is_visible(".lsf-sidepanels__wrapper")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        for name in (SUBMIT, "[data-testid=bottombar-skip-button]"):
            box = tab.locator(name).bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        submit(tab)
    tab.context.close()
    # Submitted in the order in which they were shown.
    assert rankings_of("anna", own, studio.tasks_with_annotations(f"seen at {width}"))[1].unmoved == [1, 2]


def touch_last(tab: Page) -> None:
    """Put the first reply last, as a finger would: press, wait until it comes loose, drag."""
    replies = tab.query_selector_all(REPLY)
    replies[-1].scroll_into_view_if_needed()
    start, end = replies[0].bounding_box(), replies[-1].bounding_box()
    assert start is not None
    assert end is not None
    finger = tab.context.new_cdp_session(tab)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    x, y, goal = start["x"] + 60, start["y"] + 12, end["y"] + end["height"] - 6
    touch("touchStart", (x, y))
    tab.wait_for_timeout(500)
    for step in range(1, 26):
        touch("touchMove", (x, y + (goal - y) * step / 25))
    tab.wait_for_timeout(300)
    touch("touchEnd")
    tab.wait_for_timeout(700)


def key_last(tab: Page) -> None:
    """Put the first reply last by keyboard."""
    tab.locator(REPLY).first.focus()
    for key in ("Space", "ArrowDown", "Space"):
        tab.keyboard.press(key)
        tab.wait_for_timeout(500)


@pytest.mark.parametrize("move", [touch_last, key_last])
def test_a_finger_and_the_keyboard_can_rank(move: Any, server: tuple[Server, Annotator], browser: Browser) -> None:
    own = pages("anna", items(1), [], 7)
    studio, address = uploaded(server, move.__name__, own)
    tab = logged_in(browser, server, 390, touch=True)
    opened(tab, address)
    before = shown(tab)
    move(tab)
    assert shown(tab) == before[::-1]
    submit(tab)
    tab.context.close()
    (ranking,), left = rankings_of("anna", own, studio.tasks_with_annotations(move.__name__))
    assert ranking.order == tuple(own[0].labels.values())[::-1]
    assert left.unmoved == []
