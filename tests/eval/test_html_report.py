"""The HTML report: it holds what the run's files say, needs nothing else, and no text of a model becomes markup."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eval.compare import compare
from eval.html.inputs import ReportError, Run, read_curves, read_ranking, read_run
from eval.html.plots import curve_panels, distribution_panels, kind_panels, reliability_panel
from eval.html.replies import spread
from eval.html.report import ReportConfig, render
from eval.html.tables import headline, heat_maps, number, risk_tables
from eval.metrics.protocols import Protocol
from eval.replies import ReplyKind
from eval.results import Result
from eval.score import RewardScorer, add_rewards, score_replies
from eval.statistics import Interval
from reward_fns.coe_format import CoEOutput
from reward_fns.reward_model import Threshold

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
GOOD = CoEOutput(("难过", "自责", "被理解", "先共情"), "听起来你这段时间很难过。").render()
HOSTILE = CoEOutput((ATTACK, "自责 & 'x'", "被理解", "先共情"), f"抱抱你。{ATTACK}").render()
BROKEN = f"<L1>难过</L1>{ATTACK}<answer>听起来你这段时间很难过。</answer>"
NAMES = ("base", "SFT <b>$x$", "SFT+GRPO", "别的模型")
THRESHOLD = Threshold(0.2, "Youden", 8, 0.9, {"topic": 0.9}, {"topic": 0.25}, 0.75, 10.0, -2.0, 0.3)


def question(number: int, topic: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"q{number}",
        "title": f"标题{number}",
        "description": f"来信{number}",
        "question": f"标题{number}\n来信{number}",
        "topic": topic,
        "crisis": False,
        "risks": [],
        "references": ["你这段时间一定很难过。", "愿意说出来就好。"],
        **changes,
    }


@pytest.fixture(scope="module")
def test_set() -> pd.DataFrame:
    topics = ["职场", "职场", "职场", "家庭", "家庭", ""]
    rows = [question(place, topic) for place, topic in enumerate(topics)]
    rows[4] |= {"risks": ["self_harm"], "description": ATTACK}
    rows[5] |= {"crisis": True}
    return pd.DataFrame(rows)


def scored(test_set: pd.DataFrame, protocol: str, kind: ReplyKind, texts: Sequence[str], cosine: float) -> pd.DataFrame:
    replies = pd.DataFrame(
        [{"question_id": q, "sample": s, "text": text} for q in test_set["id"] for s, text in enumerate(texts)]
    )
    scores = score_replies(replies, test_set, Protocol("paper" if protocol == "paper" else "zh"), kind)

    def cosines(questions: Sequence[str], answers: Sequence[str]) -> list[float]:
        return [cosine + 0.01 * len(question) for question in questions]

    scorer = RewardScorer(cosines, THRESHOLD.value)
    return add_rewards(scores, test_set.set_index("id")["question"], scorer, scorer)


@pytest.fixture(scope="module")
def root(test_set: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a run of three stages and a model that was never asked for the format."""
    root = tmp_path_factory.mktemp("run")
    for stage in ("data", "eval", "grpo", "reward-model"):
        (root / stage).mkdir()
        (root / stage / "manifest.json").write_text(json.dumps({"id": f"id-{stage}", "started": stage, "seed": 42}))
    test_set.to_parquet(root / "data" / "test.parquet")
    models: list[tuple[ReplyKind, list[str], float]] = [
        ("coe", ["乱码", ATTACK], 0.0),
        ("coe", [GOOD, BROKEN], 0.0),
        ("coe", [HOSTILE, GOOD], 0.3),
        ("think", [f"<think>想</think>{ATTACK}", "<think>想"], 0.1),
    ]
    results = []
    for name, stem, (kind, texts, cosine) in zip(NAMES, ("base", "sft", "sft_grpo", "other"), models, strict=True):
        for protocol in ("paper", "zh"):
            scores = scored(test_set, protocol, kind, texts, cosine)
            result = Result.of(name, "sample", Protocol("paper" if protocol == "paper" else "zh").signature, scores, 42)
            result.write(root / "eval" / f"{stem}.{protocol}.json")
        scores.to_parquet(root / "eval" / f"{stem}.scores.parquet")
        results.append(result)
    gains = compare(results, ["second", "navg"], 42)
    (root / "eval" / "gains.json").write_text(json.dumps([asdict(gain) for gain in gains]), encoding="utf-8")
    THRESHOLD.save(root / "reward-model")
    cosines = {"good": [0.1, 0.3, 0.4, 0.5], "topic": [0.0, 0.1, 0.1, 0.4]}
    pairs = pd.DataFrame([{"kind": kind, "cosine": value} for kind, values in cosines.items() for value in values])
    pairs.to_parquet(root / "reward-model" / "heldout.parquet")
    write_metrics(root / "grpo" / "metrics.jsonl", 8)
    return root


def write_metrics(path: Path, steps: int, **more: float) -> None:
    rows = [
        {"step": s, "data": {"critic/score/mean": s / steps, "actor/kl_loss": 0.1, "response_length/mean": 300, **more}}
        for s in range(1, steps + 1)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read(root: Path) -> Run:
    return read_run(root, "metrics.jsonl", "rollouts", "heldout.parquet")


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return read(root)


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return render(run, "tiny", ReportConfig(small=3), 42)


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


def test_texts_of_models_and_people_are_embedded_whole_and_never_as_markup(page: str) -> None:
    data = embedded(page)
    asked = {entry["id"]: entry for entry in data["questions"]}
    assert asked["q4"]["post"] == ATTACK
    base, sft, grpo, other = asked["q0"]["replies"]
    assert [reply["raw"] for reply in base] == ["乱码", ATTACK]
    assert sft[0]["layers"] == ["难过", "自责", "被理解", "先共情"]
    assert sft[0]["answer"] == "听起来你这段时间很难过。"
    assert (sft[1]["raw"], sft[1]["reward"]) == (BROKEN, 0.0)
    assert sft[1]["fault"].startswith("found <L1> at character 0")
    assert grpo[0]["layers"][0] == ATTACK
    assert grpo[0]["answer"].endswith(ATTACK)
    assert (other[0]["layers"], other[0]["answer"]) == ([], ATTACK)
    assert "reward" not in other[0]
    assert (other[1]["raw"], other[1]["fault"]) == ("<think>想", "unfinished reasoning")
    assert "alert(1)</script>" not in page


def test_names_are_text(page: str) -> None:
    assert "SFT &lt;b&gt;$x$" in page
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


def test_every_place_of_the_contents_is_there(page: str) -> None:
    elements = Elements(page)
    ids = {attributes.get("id") for _, attributes in elements.found}
    links = [attributes["href"] for tag, attributes in elements.found if tag == "a"]
    assert len(links) == 11
    assert all(link is not None and link[1:] in ids for link in links)


def test_the_same_run_gives_the_same_bytes(page: str, root: Path) -> None:
    assert render(read(root), "tiny", ReportConfig(small=3), 42) == page


def test_the_headline_says_what_was_compared_and_what_is_not_claimed(page: str) -> None:
    text = " ".join(Elements(page).text.split())
    assert (
        "base, SFT <b>$x$, SFT+GRPO, 别的模型 answered the 6 questions of test set sample, 2 replies to each." in text
    )
    assert "Not compared, because not every model has it: Reward, Format." in text
    assert "Nothing here claims clinical validity." in text
    assert "p is corrected for all 12 comparisons" in text


def test_sentences_set_each_stage_against_the_one_before_and_the_last_against_the_others(run: Run) -> None:
    sentences = [sentence for _, sentence in headline(run.gains, run.results, ["second", "format"])]
    assert [sentence.split(": ")[1].split(" is ")[0] for sentence in sentences] == [
        "no clear difference between SFT <b>$x$ and base",
        "no clear difference between SFT+GRPO and SFT <b>$x$",
        "no clear difference between SFT+GRPO and 别的模型",
    ]
    gain = next(gain for gain in run.gains if gain.figure == "second" and gain.ours == "别的模型")
    clear = [
        replace(other, p=0.0004, gain=Interval(-0.5, -0.7, -0.2), at_equal_length=None) if other is gain else other
        for other in run.gains
    ]
    told = headline(clear, [run.results[0], run.results[3]], ["second"])
    assert told == [(True, "Second scorer: base is higher than 别的模型: +0.500 (+0.200 to +0.700), p < 0.001.")]


def test_the_paper_s_rows_stand_in_their_own_part(page: str) -> None:
    results, paper = page.split("rouge_score")[0], page.split("rouge_score")[1]
    assert "Empathy-R1 (paper)" not in results
    assert "Empathy-R1 (paper)" in paper
    assert "protocol:paper" not in results


def test_topics_with_few_questions_are_greyed_and_models_without_a_figure_left_out(run: Run) -> None:
    maps = heat_maps(run.results, run.test, ["reward", "navg", "bertscore"], 3, 40, 42)
    reward, navg = maps
    assert reward.models == list(NAMES[:3])
    assert navg.models == list(NAMES)
    assert [(topic, count, few) for topic, count, few, _ in reward.rows] == [("职场", 3, False), ("家庭", 2, True)]
    # The base is 0 throughout and does not stretch the scale.
    assert (reward.lowest, reward.highest) == (0.5, 2.0)
    assert [round(share, 2) for _, share in reward.rows[0][3]] == [0.0, 0.0, 1.0]
    only = heat_maps(run.results, run.test, ["navg"], 3, 1, 42)[0]
    assert (len(only.rows), only.left_out) == (1, 1)


def test_posts_at_risk_stand_apart(run: Run, page: str) -> None:
    parts, tables = risk_tables(run.results, run.test, ["format", "navg"], 42)
    assert parts == {"at risk": 2, "others": 4}
    assert tables[0][0] == "Format"
    assert tables[0][1][2] == ("SFT+GRPO", [("1.00", "1.00 to 1.00"), ("1.00", "1.00 to 1.00")])
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


def test_curves_of_training_validation_and_rollouts(tmp_path: Path) -> None:
    told = {"val-core/psyqa/reward/mean@4": 1.2, "val-aux/psyqa/format/mean@4": 0.9, "val-aux/psyqa/format/std@4": 9.0}
    write_metrics(tmp_path / "metrics.jsonl", 3, **told)
    rollouts = tmp_path / "rollouts"
    rollouts.mkdir()
    rows = [{"step": 2, "output": GOOD, "score": 2.0}, {"step": 2, "output": "无", "score": 0.0}]
    (rollouts / "2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    curves = read_curves(tmp_path / "metrics.jsonl", rollouts, "exact")
    assert curves is not None
    assert curves.loc[2, ["format", "answer"]].tolist() == [0.5, 0.5]
    assert curves["format"].isna().tolist() == [True, False, True]
    assert curves["val_format"].tolist() == [0.9, 0.9, 0.9]
    assert curves["val_answer"].isna().all()
    panels = {panel.title: panel.caption for panel in curve_panels(curves)}
    assert list(panels) == ["Reward", "Format", "Answer", "KL to the SFT model", "Length of outputs"]
    assert panels["Reward"].endswith("validation (dashed), from 1.2 at step 1 to 1.2 at step 3.")
    # Half of an output's tags are paid for in this mode, so less of its score is the answer's.
    half = {"step": 2, "output": GOOD.replace("</answer>", ""), "score": 11 / 12}
    (rollouts / "2.jsonl").write_text(json.dumps(half), encoding="utf-8")
    partial = read_curves(tmp_path / "metrics.jsonl", rollouts, "partial")
    assert partial is not None
    assert partial.loc[2, ["format", "answer"]].tolist() == pytest.approx([11 / 12, 0.0])


def test_a_run_without_grpo_or_without_the_parts_of_the_reward_says_so(run: Run, page: str) -> None:
    assert "verl's log tells the parts of the reward at validation only" in page
    assert "This run has no GRPO log." in render(replace(run, curves=None), "tiny", ReportConfig(), 42)


def test_calibration_weighs_good_and_bad_alike() -> None:
    """All chances are 0.5, and half of the weight is good however few the good pairs are."""
    flat = replace(THRESHOLD, slope=0.0, intercept=0.0)
    heldout = pd.DataFrame({"kind": ["good", *["topic"] * 9], "cosine": 0.3})
    assert "error 0.000 over 10 bins, 10 pairs" in reliability_panel(heldout, flat).caption
    sure = replace(THRESHOLD, slope=0.0, intercept=50.0)
    assert "error 0.500" in reliability_panel(heldout, sure).caption
    (panel,) = kind_panels(heldout, THRESHOLD)
    assert panel.caption == "1 responses, 9 negatives, of which 100.0% pass T."


def test_a_reward_model_without_heldout_pairs_says_so(run: Run) -> None:
    page = render(replace(run, heldout=None), "tiny", ReportConfig(), 42)
    assert "This reward model kept no cosines of its held-out pairs" in page
    assert "Calibration of mode" not in page


def test_replies_that_show_nothing_have_no_length(run: Run) -> None:
    length, cosine, reward = distribution_panels(run.scores, 0.2)
    assert "base" not in length.caption
    assert "The line is T = 0.200." in cosine.caption
    assert "别的模型" not in reward.caption
    silent = {"base": run.scores["base"]}
    assert [panel.title for panel in distribution_panels(silent, 0.2)] == ["Reward"]


@pytest.mark.parametrize("shape", [lambda rows: {"models": rows}, lambda rows: list(rows.values()), lambda rows: rows])
def test_rankings_stand_there_when_their_file_does(
    shape: Callable[[dict[str, Any]], Any], root: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(root, tmp_path / "run"))
    interval = {"mean": 44.3, "low": 40.0, "high": 48.0}
    figures = {"win_1": interval, "win_2": interval, "mean_rank": {"mean": 2.6, "low": 2.5, "high": 2.7}}
    rows = {name: {"model": name, "wins": {"overall": interval}, **figures} for name in ("SFT", "base")}
    for by in ("ranking", "judge"):
        (copied / by).mkdir()
        (copied / by / f"{by}.json").write_text(json.dumps(shape(rows)), encoding="utf-8")
    page = render(read(copied), "tiny", ReportConfig(), 42)
    for by in ("ranking", "judge"):
        assert f'<section id="{by}">' in page
        assert f'href="#{by}"' in page
    assert "<td>44.3<small>40.0 to 48.0</small></td>" in page
    assert "2.600" in page


def test_an_unfinished_ranking_and_a_wrong_one(tmp_path: Path, run: Run, page: str) -> None:
    assert '<section id="ranking">' not in page
    file = tmp_path / "judge.json"
    file.write_text('{"models": {}, "stopped_by": "max_cost=1"}')
    assert read_ranking(file) == {}
    assert "No question is ranked whole yet." in render(replace(run, rankings={"judge": {}}), "x", ReportConfig(), 1)
    for text in ('{"base": {"win_1": {}, "win_2": {}, "mean_rank": {}}}', "no JSON"):
        file.write_text(text)
        with pytest.raises(ReportError, match=r"judge\.json.*expected mean, low and high"):
            read_ranking(file)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("eval/gains.json", "[{}]", r"gains\.json.*Run it again"),
        ("eval/gains.json", None, r"gains\.json"),
        ("eval/sft.scores.parquet", None, r"sft\.scores\.parquet is missing.*make eval"),
        ("eval/sft.zh.json", "{", r"sft\.zh\.json"),
        ("grpo/metrics.jsonl", '{"step": 1}\n', r"metrics\.jsonl:1: expected an object with step, data"),
        ("grpo/metrics.jsonl", "x\n", r"metrics\.jsonl:1: not JSON"),
        ("data/manifest.json", "[1", r"data/manifest\.json.*make data"),
    ],
)
def test_what_is_wrong_with_a_run_is_named(
    name: str, content: str | None, message: str, root: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(root, tmp_path / "run"))
    if content is None:
        (copied / name).unlink()
    else:
        (copied / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read(copied)


def test_no_results_at_all_a_missing_column_and_a_missing_number(root: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(root, tmp_path / "run"))
    file = copied / "eval" / "sft.scores.parquet"
    pd.read_parquet(file).drop(columns=["cosine"]).to_parquet(file)
    with pytest.raises(ReportError, match=r"no column cosine\. Run `make eval` again"):
        read(copied)
    shutil.copy(root / "eval" / file.name, file)
    scores = pd.read_parquet(file)
    scores.loc[3, "cosine"] = float("nan")
    scores.to_parquet(file)
    with pytest.raises(ReportError, match=r"sft\.scores\.parquet, row 3: a figure is missing or no number"):
        read(copied)
    for path in (copied / "eval").glob("*.zh.json"):
        path.unlink()
    with pytest.raises(ReportError, match=r"no \*\.zh\.json"):
        read(copied)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replies": 0}, "replies=0: expected 1 or more"),
        ({"headline": ["rewrad"]}, "headline holds rewrad: no such figure"),
        ({"paper_table": "7"}, "paper_table=7: expected one of 2, 3, 4"),
    ],
)
def test_config_values_out_of_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReportConfig(**changes)


def test_minus_signs() -> None:
    assert number(-0.126) == "−0.13"
    assert number(0.5, 1, "+") == "+0.5"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_shows_the_replies(page: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    command = ["chromium", *options.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert shown.count('<article class="card') == 6
    assert "6 questions of 6, 48 matching replies." in shown
    tags = [tag for tag, _ in Elements(shown).found]
    assert tags.count("script") == 2
    assert "img" not in tags
    # Posts at risk are closed and carry the note; the others are open.
    assert shown.count('<article class="card at-risk"><div class="crisis">') == 2
    assert shown.count('<details open=""><summary><h3') == 4
