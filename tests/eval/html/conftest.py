"""A run of three stages and a model that was never asked for the format, with hostile texts among the replies."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.manifest import Manifest
from common.records.replies import ReplyKind, file_stem
from eval.compare import compare
from eval.html.inputs import Run, read_run
from eval.html.report import ReportConfig, render
from eval.metrics.protocols import Protocol
from eval.results import Result, RewardScorer, add_rewards, score_replies
from reward_fns.coe_format import CoEOutput
from reward_fns.reward_model import Threshold

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
GOOD = CoEOutput(("难过", "自责", "被理解", "先共情"), "听起来你这段时间很难过。").render()
HOSTILE = CoEOutput((ATTACK, "自责 & 'x'", "被理解", "先共情"), f"抱抱你。{ATTACK}").render()
BROKEN = f"<L1>难过</L1>{ATTACK}<answer>听起来你这段时间很难过。</answer>"
NAMES = ("base", "SFT", "SFT+GRPO", "别的模型 <b>$x$")
THRESHOLD = Threshold(0.2, "Youden", 8, 0.9, {"topic": 0.9}, {"topic": 0.25}, 0.75, 10.0, -2.0, 0.3)


def question(number: int, topic: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"q{number}",
        "test_set": "sample",
        "title": f"标题{number}",
        "description": f"来信{number}",
        "question": f"标题{number}\n来信{number}",
        "topic": topic,
        "crisis": False,
        "risk_level": "none",
        "risks": [],
        "references": ["你这段时间一定很难过。", "愿意说出来就好。"],
        **changes,
    }


@pytest.fixture(scope="module")
def test_set() -> pd.DataFrame:
    topics = ["职场", "职场", "职场", "家庭", "家庭", ""]
    rows = [question(place, topic) for place, topic in enumerate(topics)]
    rows[4] |= {"risk_level": "concern", "risks": ["self_harm"], "description": ATTACK}
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
        Manifest(stage, 42, {}, {}, {}, {}, "0a1b2c3", started=stage, seconds=1.5).write(root / stage)
    test_set.to_parquet(root / "data" / "test.parquet")
    models: list[tuple[ReplyKind, list[str], float]] = [
        ("coe", ["乱码", ATTACK], 0.0),
        ("coe", [GOOD, BROKEN], 0.0),
        ("coe", [HOSTILE, GOOD], 0.3),
        ("think", [f"<think>想</think>{ATTACK}", "<think>想"], 0.1),
    ]
    results = []
    for name, (kind, texts, cosine) in zip(NAMES, models, strict=True):
        stem = file_stem(name)
        for protocol in ("paper", "zh"):
            scores = scored(test_set, protocol, kind, texts, cosine)
            result = Result.of(name, "sample", Protocol("paper" if protocol == "paper" else "zh").signature, scores)
            result.write(root / "eval" / f"{stem}.{protocol}.json")
        scores.to_parquet(root / "eval" / f"{stem}.scores.parquet")
        results.append(result)
    gains = compare(results, ["visible", "heldout_answer", "navg"], 42)
    (root / "eval" / "gains.json").write_text(json.dumps([asdict(gain) for gain in gains]), encoding="utf-8")
    THRESHOLD.save(root / "reward-model")
    cosines = {"good": [0.1, 0.3, 0.4, 0.5], "topic": [0.0, 0.1, 0.1, 0.4]}
    pairs = pd.DataFrame([{"kind": kind, "cosine": value} for kind, values in cosines.items() for value in values])
    pairs.to_parquet(root / "reward-model" / "heldout.parquet")
    _write_metrics(root / "grpo" / "metrics.jsonl", 8)
    return root


def _write_metrics(path: Path, steps: int, **more: float) -> None:
    rows = [
        {"step": s, "data": {"critic/score/mean": s / steps, "actor/kl_loss": 0.1, "response_length/mean": 300, **more}}
        for s in range(1, steps + 1)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _read(root: Path) -> Run:
    return read_run(root)


@pytest.fixture(scope="module")
def run(root: Path) -> Run:
    return _read(root)


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return render(run, "tiny", ReportConfig(small=3), 42)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The texts that replies are made of."""
    return {"attack": ATTACK, "good": GOOD, "broken": BROKEN}


@pytest.fixture(scope="module")
def threshold() -> Threshold:
    """Of the run's reward model."""
    return THRESHOLD


@pytest.fixture(scope="module")
def names() -> tuple[str, ...]:
    """The run's models."""
    return NAMES


@pytest.fixture(scope="module")
def read() -> Callable[[Path], Run]:
    """Reads a run's folder as `make report` does."""
    return _read


@pytest.fixture(scope="module")
def write_metrics() -> Callable[..., None]:
    """Writes verl's file of metrics: path, steps, and more values of each step."""
    return _write_metrics
