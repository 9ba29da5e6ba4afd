"""The judge's stage when things go wrong: outages, refusals, ceilings, kills; nothing is lost, nothing asked twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from common.code import REPO
from common.errors import StageError
from common.records.rankings import KEYS
from tests.recipes.made import make_stage


def test_a_finished_judgement_asks_nothing_again(judged: Path, judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    judge.start(judged)
    judge.start(judged)
    assert len(judge.calls) == judge.orders
    assert "nothing has changed" in capsys.readouterr().out
    judge.start(judged, "questions=2", "force=true")
    assert len(judge.calls) == judge.orders * 3 / 2


def test_other_replies_are_not_gone_on_with(judged: Path, judge: Any) -> None:
    judge.start(judged)
    changed = {**judge.replies, "short": "先抱抱你吧。"}
    make_stage(judged, "generate", lambda folder: judge.write_replies(folder, changed))
    with pytest.raises(StageError, match=r"another request; different are: posts_and_replies.*force=true"):
        judge.start(judged)
    with pytest.raises(StageError, match="different are: judge_model, posts_and_replies"):
        judge.start(judged, "judge_model=other")
    assert len(judge.calls) == judge.orders


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_outage_that_passes_leaves_no_trace(
    status: int, judged: Path, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    busy: set[tuple[str, str, str]] = set()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("common.chat_server.client.asyncio.sleep", pause)

    def script(call: Any, count: int) -> Any:
        if call.pair in busy:
            return judge.longer(call)
        busy.add(call.pair)
        return status, {"error": {"message": "busy"}}

    judge.script = script
    found = judge.start(judged)
    assert len(judge.calls) == 2 * judge.orders
    assert pauses == [7 if status == 429 else 0] * judge.orders
    assert found["counts"]["answers"] == judge.orders
    assert found["models"]["long"]["mean_rank"]["mean"] == 1


def test_an_outage_that_lasts_ends_the_run_and_keeps_what_is_there(judged: Path, judge: Any) -> None:
    judge.script = lambda call, count: judge.longer(call) if count <= 5 else (500, {"error": {"message": "down"}})
    with pytest.raises(StageError, match=r"HTTP 500: down, 3 times in a row.*is kept: run the same command again"):
        judge.start(judged, "retries=2")
    assert len(judge.lines(judged)) == 5
    assert not (judged / "judge" / "judge.json").exists()
    judge.script, before = lambda call, count: judge.longer(call), len(judge.calls)
    found = judge.start(judged, "retries=2")
    assert len(judge.calls) - before == judge.orders - 5
    assert found["counts"]["answers"] == judge.orders


def test_nobody_there(judged: Path, judge: Any) -> None:
    with pytest.raises(StageError, match=r"ConnectError.*2 times in a row"):
        judge.start(judged, "base_url=http://127.0.0.1:9/v1", "retries=1")
    assert judge.lines(judged) == []


def test_a_server_that_is_silent_is_an_outage(judged: Path, judge: Any) -> None:
    gone = threading.Event()

    def script(call: Any, count: int) -> Any:
        gone.wait(2)
        return judge.longer(call)

    judge.script = script
    with pytest.raises(StageError, match=r"no whole answer in 0.2 s|ReadTimeout"):
        judge.start(judged, "timeout_s=0.2", "retries=0")
    gone.set()


def test_a_server_that_refuses_the_schema(judged: Path, judge: Any) -> None:
    def script(call: Any, count: int) -> Any:
        if "response_format" in call.body:
            return 400, {"error": {"message": "response_format is not supported"}}
        _, content = judge.longer(call)
        assert isinstance(content, dict)
        text = content["choices"][0]["message"]["content"]
        return judge.completion(f"<think>\n两封都看一看。{{}}\n</think>\n\n```json\n{text}\n```")

    judge.script = script
    found = judge.start(judged)
    assert len(judge.calls) == judge.orders + 1
    assert found["models"]["long"]["mean_rank"]["mean"] == 1
    assert not any(line["structured"] for line in judge.lines(judged))


def test_a_required_schema_that_is_refused_ends_the_run(judged: Path, judge: Any) -> None:
    judge.script = lambda call, count: (400, {"error": {"message": "response_format is not supported"}})
    with pytest.raises(StageError, match=r"response_format is not supported. Say structured=none"):
        judge.start(judged, "structured=json_schema")
    assert len(judge.calls) == 1


def test_one_request_refused_later_is_that_question_s_own(judged: Path, judge: Any) -> None:
    def script(call: Any, count: int) -> Any:
        refused = count > 1 and call.pair[0].startswith("q2")
        return (400, {"error": {"message": "content policy"}}) if refused else judge.longer(call)

    judge.script = script
    found = judge.start(judged, "attempts=1")
    counts = found["counts"]
    assert (
        counts["malformed"]
        == sum(line["problem"].startswith("refused by the server") for line in judge.lines(judged))
        > 4
    )
    assert counts["whole"] == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((401, {"error": {"message": "bad key"}}), "HTTP 401: bad key. Check base_url.*judge_model.*the key"),
        ((404, {"error": {"message": "no such model"}}), "HTTP 404"),
        ((200, "<html>welcome</html>"), "a web page instead of a completion .does base_url end with /v1.*: welcome"),
    ],
)
def test_a_server_that_is_none(answer: Any, message: str, judged: Path, judge: Any) -> None:
    judge.script = lambda call, count: answer
    with pytest.raises(StageError, match=message):
        judge.start(judged, "retries=0")
    assert len(judge.calls) == 1


def test_the_ceiling_of_tokens_stops_and_a_higher_one_goes_on(judged: Path, judge: Any) -> None:
    with pytest.raises(StageError, match=r"stopped at max_tokens_total=8000, \d+ of 24 comparisons are missing"):
        judge.start(judged, "max_tokens_total=8000")
    found, asked = judge.result(judged), len(judge.calls)
    assert 0 < found["counts"]["usage"]["tokens_in"] + found["counts"]["usage"]["tokens_out"] <= 8000
    assert found["counts"]["missing"] == judge.orders - asked > 0
    assert found["stopped_by"] == "max_tokens_total=8000"
    assert "**Not complete:** stopped at `max_tokens_total=8000`" in (judged / "judge" / "judge.md").read_text()
    with pytest.raises(StageError, match="stopped at max_tokens_total=8000"):
        judge.start(judged, "max_tokens_total=8000")
    assert len(judge.calls) == asked
    assert judge.start(judged, "max_tokens_total=30000")["counts"]["missing"] == 0
    assert len(judge.calls) == judge.orders == len({call.pair for call in judge.calls})


def test_the_ceiling_of_cost(judged: Path, judge: Any) -> None:
    judge.script = lambda call, count: judge.completion(json.dumps(dict.fromkeys(KEYS, "A")), 100_000, 1_000)
    with pytest.raises(StageError, match=r"stopped at max_cost=1,"):
        judge.start(judged, "max_cost=1", "price_in=1", "price_out=10")
    # Ten calls are under it; the estimate can't know that a prompt has 100,000 tokens, so those under way may pass it.
    assert 10 <= len(judge.calls) <= 10 + 3
    assert judge.result(judged)["counts"]["cost"] == pytest.approx(0.11 * len(judge.calls))


def test_half_a_last_line_is_dropped_and_its_comparison_asked_again(judged: Path, judge: Any) -> None:
    found = judge.start(judged)
    verdicts = judged / "judge" / "verdicts.jsonl"
    whole = verdicts.read_text().splitlines(keepends=True)
    verdicts.write_text("".join(whole[:10]) + whole[10][:40])
    (judged / "judge" / "manifest.json").unlink()
    before = {call.pair for call in judge.calls}
    judge.calls.clear()
    again = judge.start(judged)
    assert len(judge.calls) == judge.orders - 10
    assert {call.pair for call in judge.calls} < before
    assert again == found


@pytest.mark.slow
def test_killed_in_the_middle_and_gone_on_with(judged: Path, judge: Any, tmp_path: Path) -> None:
    found = judge.start(judged)
    for file in (judged / "judge").iterdir():
        file.unlink()
    process: list[subprocess.Popen[bytes]] = []
    started = threading.Event()
    judge.calls.clear()

    def killing(call: Any, count: int) -> Any:
        if count == 9:
            started.wait(60)
            os.kill(process[0].pid, signal.SIGKILL)
        return judge.longer(call)

    judge.script = killing
    command = [sys.executable, "-m", "recipes.judge", *judge.arguments(judged)]
    process.append(subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    started.set()
    assert process[0].wait(120) == -signal.SIGKILL
    recorded = len(judge.lines(judged))
    assert 0 < recorded <= 9
    judge.script = lambda call, count: judge.longer(call)
    judge.calls.clear()
    assert judge.start(judged) == found
    assert len(judge.calls) == judge.orders - recorded
