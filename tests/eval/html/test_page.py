"""The HTML report: it holds what the run's files say, needs nothing else, and no text of a model becomes markup."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from common.files import FileError
from eval.html.headline import further, headline
from eval.html.inputs import Run
from eval.html.parts import heat_maps, risk_tables
from eval.html.plots import MODEL_COLOURS, distribution_panels
from eval.html.report import ReportConfig, render
from eval.report import spread
from eval.statistics import Interval, PValue
from reward_fns.reward_model import Threshold
from tests.browser import FLAGS


class Elements(HTMLParser):
    """Every element with its attributes, and the text inside each script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._stack: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._stack.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._stack.append("")

    def handle_data(self, data: str) -> None:
        if self._stack and self._stack[-1] == "script":
            self.scripts[-1] += data
        else:
            self.text += data


def embedded(page: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Elements(page).scripts[0])
    return data


def test_the_page_needs_nothing_else(page: str) -> None:
    elements = Elements(page)
    for tag, attributes in elements.found:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "b"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}:
                assert (value or "").startswith("#"), (tag, name, value)
    assert not re.search(r"url\(\s*['\"]?(?!#)", page)
    assert "@import" not in page
    # What is left of addresses are the names of SVG's vocabularies.
    assert set(re.findall(r"https?://[^\"'\s<]+", page)) <= {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }


def test_only_the_pages_own_script_may_run(page: str) -> None:
    elements = Elements(page)
    policy = next(a["content"] for _, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    assert len(elements.scripts) == 2
    digest = base64.b64encode(hashlib.sha256(elements.scripts[1].encode()).digest()).decode()
    assert policy is not None
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "XMLHttp"):
        assert word not in elements.scripts[1]


def test_texts_of_models_and_people_are_embedded_whole_and_never_as_markup(texts: dict[str, str], page: str) -> None:
    data = embedded(page)
    asked = {entry["id"]: entry for entry in data["questions"]}
    assert asked["q4"]["post"] == texts["attack"]
    base, sft, grpo, other = asked["q0"]["replies"]
    assert [reply["raw"] for reply in base] == ["乱码", texts["attack"]]
    assert sft[0]["layers"] == ["难过", "自责", "被理解", "先共情"]
    assert sft[0]["answer"] == "听起来你这段时间很难过。"
    assert (sft[1]["raw"], sft[1]["reward"]) == (texts["broken"], 0.0)
    assert sft[1]["fault"].startswith("found <L1> at character 0")
    assert grpo[0]["layers"][0] == texts["attack"]
    assert grpo[0]["answer"].endswith(texts["attack"])
    assert (other[0]["layers"], other[0]["answer"]) == ([], texts["attack"])
    assert "reward" not in other[0]
    assert (other[1]["raw"], other[1]["fault"]) == ("<think>想", "unfinished reasoning")
    assert "alert(1)</script>" not in page


def test_names_are_text(page: str) -> None:
    assert "别的模型 &lt;b&gt;$x$" in page
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) >= 7
    assert not any("SFT" in drawing or "别的" in drawing for drawing in drawings)


def test_drawings_take_the_pages_colours_and_share_no_id(page: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    for drawing in drawings:
        assert not re.search(r"(fill|stroke): #(?!000000|ffffff)", drawing)
        assert "<style" not in drawing
        assert "font-family" not in drawing
    ids = [value for _, attributes in Elements(page).found if (value := attributes.get("id"))]
    assert len(ids) == len(set(ids))


def test_the_palette_of_models_and_layers_is_whole_in_both_themes(page: str) -> None:
    style = page.split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for theme in (light, dark):
        assert re.findall(r"--m(\d+):", theme) == [str(place) for place in range(MODEL_COLOURS)]


def test_every_place_of_the_contents_is_there(page: str) -> None:
    elements = Elements(page)
    ids = {attributes.get("id") for _, attributes in elements.found}
    links = [attributes["href"] for tag, attributes in elements.found if tag == "a"]
    assert len(links) == 12
    assert all(link is not None and link[1:] in ids for link in links)


def test_what_is_amiss_stands_beside_the_headline(page: str) -> None:
    opening = page.split('<section id="headline">')[1].split("</section>")[0]
    assert "Before a gain is taken for better answers:" in opening
    assert "answers differ from" in opening
    assert "characters +" in opening


def test_attacks_on_the_reward_are_shown_at_this_threshold(
    read: Callable[[Path], Run], page: str, root: Path, tmp_path: Path, threshold: Threshold
) -> None:
    assert "make reward-probes" in page
    copy = tmp_path / "run"
    shutil.copytree(root, copy)
    (copy / "reward-probes").mkdir()
    file = copy / "reward-probes" / "probes.json"
    rows = [
        {"name": name, "what": f"a {name} answer", "answers": 50, "passed": share, "guarded": 0.0}
        for name, share in (("genuine", 0.72), ("wrong_emotion", 0.055))
    ]
    file.write_text(json.dumps({"threshold": threshold.value, "probes": rows}), encoding="utf-8")
    shown = Elements(render(read(copy), "tiny", ReportConfig(small=3), 42)).text
    assert "useless answers to 50 held-out posts" in shown
    assert re.search(r"wrong emotion\s*a wrong_emotion answer\s*5.5%", shown)
    file.write_text(json.dumps({"threshold": threshold.value + 0.1, "probes": rows}), encoding="utf-8")
    with pytest.raises(FileError, match=r"T = 0\.3000, that of this run has 0\.2000"):
        read(copy)
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(FileError, match="expected T and the rows"):
        read(copy)


def test_the_same_run_gives_the_same_bytes(read: Callable[[Path], Run], page: str, root: Path) -> None:
    assert render(read(root), "tiny", ReportConfig(small=3), 42) == page


def test_the_headline_says_what_was_compared_and_what_is_not_claimed(page: str) -> None:
    text = " ".join(Elements(page).text.split())
    assert (
        "base, SFT, SFT+GRPO, 别的模型 <b>$x$ answered the 6 questions of test set sample, 2 replies to each." in text
    )
    assert "Not compared, because not every model has it: Reward, Format." in text
    assert "Nothing here claims clinical validity." in text
    assert "p is corrected within a family of tests" in text
    assert "Secondary family: the other" in text


def test_sentences_set_each_stage_against_the_one_before_and_the_last_against_the_others(run: Run) -> None:
    asked = run.gains, run.results, ["heldout_answer", "format"]
    assert [sentence.split(": ", 1)[1].split(": +")[0] for _, sentence in headline(*asked)] == [
        "no clear difference between SFT+GRPO and SFT",
    ]
    assert [sentence.split(": ", 1)[1].split(": +")[0] for _, sentence in further(*asked)] == [
        "nothing to compare, SFT shows a reader something in 100% of its replies, base in 0%.",
        "SFT+GRPO shows a reader something in 100% of its replies, 别的模型 <b>$x$ in 50%; over the 6 questions to "
        "which both do, and those replies alone, no clear difference between SFT+GRPO and 别的模型 <b>$x$",
    ]
    ours, sft = run.results[3].model, run.results[1]
    gain = next(g for g in run.gains if (g.figure, g.ours, g.theirs) == ("heldout_answer", ours, sft.model))
    lower = replace(
        gain, p=PValue(0.0001), shown=Interval(-0.5, -0.7, -0.2), p_shown=PValue(0.0004), at_equal_length=None
    )
    told = further([lower], [sft, run.results[3]], ["heldout_answer"])
    verdict = f"SFT is higher than {ours}: +0.500 (+0.200 to +0.700), p < 0.001"
    (clear, sentence) = told[0]
    assert clear
    assert (
        f"those replies alone, {verdict}; over all replies, of which the others count 0, the difference is" in sentence
    )


def test_the_paper_s_rows_stand_in_their_own_part(page: str) -> None:
    results, paper = page.split("rouge_score")[0], page.split("rouge_score")[1]
    assert "Empathy-R1 (paper)" not in results
    assert "Empathy-R1 (paper)" in paper
    assert "protocol:paper" not in results


def test_topics_with_few_questions_are_folded_and_models_without_a_figure_left_out(
    names: tuple[str, ...], run: Run
) -> None:
    maps = heat_maps(run.results, run.test, ["reward", "navg", "bertscore"], 3, 40)
    assert [one.heading for one in maps] == ["Reward", "NAvg", "NAvg, replies that show something"]
    reward, navg, shown = maps
    assert reward.models == list(names[:3])
    assert navg.models == list(names)
    # The base shows nothing at all, so it has no second reading.
    assert shown.models == list(names[1:])
    assert [(row.topic, row.questions) for row in reward.rows] == [("职场", 3)]
    assert [(row.topic, row.questions) for row in reward.few] == [("家庭", 2)]
    # The base is 0 throughout and does not stretch the scale.
    assert (reward.lowest, reward.highest) == (0.5, 2.0)
    assert [cell and round(cell[1], 2) for cell in reward.rows[0].cells] == [0.0, 0.0, 1.0]
    only = heat_maps(run.results, run.test, ["navg"], 3, 1)[0]
    assert (len(only.rows), only.left_out) == (1, 1)


def test_small_topics_are_folded_on_the_page(page: str) -> None:
    topics = page.split('<section id="topics">')[1].split("</section>")[0]
    assert "1 topic with fewer than 3 questions" in topics
    folded = topics.split('<details class="few">')[1].split("</details>")[0]
    assert "家庭" in folded
    assert "职场" not in folded


def test_the_last_stage_s_levels_and_the_warning_open_the_page(page: str) -> None:
    opening = page.split('<section id="headline">')[1].split('class="lead"')[0]
    text = " ".join(Elements(opening).text.split())
    assert text.startswith("tiny: evaluation report The sample corpus's posts, replies and chains were written by")
    assert "Nothing here claims clinical validity." in text
    assert "SFT → SFT+GRPO" in text
    # Without the share of replies that show something a figure of the text would mislead.
    assert "Of replies that show something (100% → 100% of all), 6 questions: mean of BLEU-1" in text
    assert text.count("not clear") == 3
    assert opening.count('<li class="unclear">') == 3


def test_short_replies_that_are_rewarded_are_marked(read: Callable[[Path], Run], root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "run"))
    file = copy / "eval" / "sft_grpo.scores.parquet"
    scores = pd.read_parquet(file)
    scores.loc[0, ["shown", "chars", "answer", "fault"]] = ["嗯", 1, 1.0, ""]
    scores.to_parquet(file)
    page = render(read(copy), "tiny", ReportConfig(), 42)
    question, sample = scores.loc[0, ["question_id", "sample"]]
    marked = [
        (entry["id"], reply["sample"])
        for entry in embedded(page)["questions"]
        for replies in entry["replies"]
        for reply in replies
        if reply["short"]
    ]
    assert marked == [(question, sample)]
    assert "shorter than 25% of the shortest reference: 1 of 12 (SFT+GRPO)." in page


def test_posts_at_risk_stand_apart(run: Run, page: str) -> None:
    parts, tables = risk_tables(run.results, run.test, ["format", "navg"])
    assert parts == {"acute": 1, "concern": 1, "at risk": 2, "others": 4}
    assert tables[0][0] == "Format"
    assert tables[0][1][2] == ("SFT+GRPO", [("1.00", ""), ("1.00", ""), ("1.00", ""), ("1.00", "")])
    data = embedded(page)
    assert {entry["id"] for entry in data["questions"] if entry["atRisk"]} == {"q4", "q5"}
    assert "12356" in data["note"][0]
    assert "**" not in data["note"][0]


def test_what_is_left_out_is_said(run: Run) -> None:
    page = render(run, "tiny", ReportConfig(replies=2, samples=1), 42)
    text = " ".join(Elements(page).text.split())
    assert "2 of 6 questions, of each model the first 1 of 2 replies" in text
    assert "4 questions are left out" in text
    data = embedded(page)
    assert len(data["questions"]) == 2
    assert len({entry["topic"] for entry in data["questions"]}) == 2
    assert all(len(replies) == 1 for entry in data["questions"] for replies in entry["replies"])


def test_questions_are_spread_over_the_topics(test_set: pd.DataFrame) -> None:
    assert spread(test_set, 5)["topic"].tolist() == ["职场", "家庭", "", "职场", "家庭"]


def test_a_run_without_grpo_or_without_the_parts_of_the_reward_says_so(run: Run, page: str) -> None:
    assert "verl's log tells the parts of the reward at validation only" in page
    assert "This run has no GRPO log." in render(replace(run, curves=None), "tiny", ReportConfig(), 42)


def test_a_reward_model_without_heldout_pairs_says_so(run: Run) -> None:
    page = render(replace(run, heldout=None), "tiny", ReportConfig(), 42)
    assert "This reward model kept no cosines of its held-out pairs" in page
    assert "Calibration of mode" not in page


def test_replies_that_show_nothing_have_no_length(run: Run) -> None:
    length, cosine, reward = distribution_panels(run.scores, 0.2)
    assert "base" not in length.caption
    assert "The line is T = 0.200." in cosine.caption
    assert "别的" not in reward.caption
    silent = {"base": run.scores["base"]}
    assert [panel.title for panel in distribution_panels(silent, 0.2)] == ["Reward"]


@pytest.mark.slow
def test_a_browser_shows_the_replies(page: str, tmp_path: Path, chromium: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    command = [chromium, *options.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert shown.count('<article class="card') == 6
    assert "6 questions of 6, 48 matching replies." in shown
    tags = [tag for tag, _ in Elements(shown).found]
    assert tags.count("script") == 2
    assert "img" not in tags
    # Posts at risk are closed and carry the note; the others are open.
    assert shown.count('<article class="card at-risk"><div class="crisis">') == 2
    assert shown.count('<details open=""><summary><h3') == 4


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_headline_s_first_figure_is_seen_without_scrolling(
    size: tuple[int, int], page: str, tmp_path: Path, chromium: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    width, height = size
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page(viewport={"width": width, "height": height})
        tab.goto(file.as_uri())
        for element in (".warning", ".levels li"):
            box = tab.locator(element).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= height
        # Tables scroll in boxes of their own; the page does not.
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


def test_the_page_says_once_where_the_chains_come_from(page: str) -> None:
    assert page.count("SFT learnt from chains that were written for this project, not reviewed.") == 1


def test_the_manifests_tell_what_a_stage_was_made_by(page: str) -> None:
    text = " ".join(Elements(page).text.split())
    assert "git commit0a1b2c3startedgrpo" in text
    assert "seed42" in text
