"""Protocols, results and the command: the paper's arithmetic, policies over references, bad input at the border."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from common.code import REPO
from common.files import FileError
from common.records.references import read_references
from common.records.replies import read_replies
from eval.baselines import human
from eval.metrics.__main__ import main
from eval.metrics.protocols import PROTOCOLS, Protocol, ProtocolName, code_version, navg
from eval.replies import FAULTS, check_kind, check_match, shown, shown_parts
from eval.results import Result, check_comparable, score_replies
from reward_fns.coe_format import CoEOutput

PRINTED = yaml.safe_load((Path(__file__).parents[2] / "eval" / "paper_rows.yaml").read_text(encoding="utf-8"))
ROWS = [
    (number, test_set, model, values)
    for number, table in PRINTED["tables"].items()
    for test_set, models in table["test_sets"].items()
    for model, values in models.items()
]
GOOD = CoEOutput(("难过", "自责", "被理解", "先共情"), "听起来你这段时间很难过。").render()


@pytest.mark.parametrize(("number", "test_set", "model", "values"), ROWS)
def test_navg_recomputes_the_printed_rows(number: str, test_set: str, model: str, values: list[float]) -> None:
    scores = dict(zip(PRINTED["columns"], values, strict=False))
    printed = scores.pop("navg")
    assert navg(scores) == pytest.approx(printed, abs=0.001), (number, test_set, model)


def test_all_rows_of_the_three_tables_are_there() -> None:
    assert len(ROWS) == 12 + 4 + 2


def test_mean_and_best_reference() -> None:
    texts = ["听起来你很难过。", "今天天气不错。"]
    mean, best = Protocol("zh", "mean"), Protocol("zh", "best")
    each = [mean.score(texts[0], mean.prepare([text])) for text in texts]
    for figure in ("bleu_1", "rouge_l", "meteor", "rouge_l_words", "meteor_words"):
        values = [scores[figure] for scores in each]
        assert mean.score(texts[0], mean.prepare(texts))[figure] == pytest.approx(sum(values) / 2)
        assert best.score(texts[0], best.prepare(texts))[figure] == max(values) == pytest.approx(1.0, abs=0.01)


def test_the_paper_protocol_differs_in_rouge_l_alone() -> None:
    zh, paper = Protocol("zh"), Protocol("paper")
    text, references = "1. 先睡一觉。", ["1. 说说你的感受。", "抱抱你。"]
    ours, theirs = zh.score(text, zh.prepare(references)), paper.score(text, paper.prepare(references))
    assert {name for name in PROTOCOLS["paper"] if ours[name] != theirs[name]} == {"rouge_l"}
    assert theirs["rouge_l"] == 0.5  # the list number, and nothing in the second


@pytest.mark.parametrize("name", ["zh", "paper"])
def test_each_reference_is_scored_alone_and_not_all_at_once(name: ProtocolName) -> None:
    """By all references at once BLEU-1 of this reply is 1: each of its halves stands in one of them."""
    protocol, texts = Protocol(name), ["听起来很难过", "先休息一下吧"]
    assert protocol.score("".join(texts), protocol.prepare(texts))["bleu_1"] == 0.5


def test_the_signature_names_the_normalisation() -> None:
    for name in ("zh", "paper"):
        assert "|norm:no-invisible+half-width|" in Protocol(name).signature


def test_an_empty_reply_scores_zero_in_everything() -> None:
    protocol = Protocol("zh")
    assert set(protocol.score("", protocol.prepare(["抱抱你。"])).values()) == {0.0}


def test_signatures_say_what_differs() -> None:
    signatures = {Protocol(name, policy).signature for name in ("zh", "paper") for policy in ("mean", "best")}
    assert len(signatures) == 4
    assert "rouge_l:char+word-rjieba-" in Protocol("zh").signature
    assert "rouge_l:latin" in Protocol("paper").signature
    assert re.search(r"\|code:[0-9a-f]{8}$", Protocol("zh").signature)
    with pytest.raises(ValueError, match="protocol 'en'"):
        Protocol("en")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="policy 'max'"):
        Protocol("zh", "max")  # type: ignore[arg-type]


def test_a_changed_definition_changes_the_signature_and_its_formatting_does_not(tmp_path: Path) -> None:
    shutil.copytree(REPO / "eval" / "metrics", tmp_path / "eval" / "metrics")
    (tmp_path / "eval" / "__init__.py").touch()
    before, file = code_version(tmp_path), tmp_path / "eval" / "metrics" / "overlap.py"
    text = file.read_text(encoding="utf-8")

    def changed(old: str, new: str) -> bool:
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        code_version.cache_clear()
        return code_version(tmp_path) != before

    assert before == code_version(REPO)
    assert not changed('"""F1 of the longest', '"""The F1 of  the longest')
    assert not changed("METEOR_BETA: Final = 3.0", "METEOR_BETA:  Final = 3.0  # as ever")
    assert changed("METEOR_BETA: Final = 3.0", "METEOR_BETA: Final = 2.0")


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (GOOD, "coe", ("听起来你这段时间很难过。", "")),
        ("抱抱你。", "coe", ("", "no_answer")),
        ("<answer>a</answer><answer>b</answer>", "coe", ("", "no_answer")),
        ("<think>他很难过</think>\n抱抱你。", "think", ("抱抱你。", "")),
        ("抱抱你。", "think", ("抱抱你。", "")),
        ("<think>他很难过，我该", "think", ("", "unfinished_reasoning")),
        ("<think>想完了</think> \n", "think", ("", "empty")),
        (" 抱抱你。\n", "plain", ("抱抱你。", "")),
        ("\u200b \n", "plain", ("", "empty")),
        ("<answer>抱抱你。</answer>", "plain", ("", "tags")),
    ],
)
def test_what_a_person_is_shown(text: str, kind: str, expected: tuple[str, str]) -> None:
    assert shown(text, kind) == expected  # type: ignore[arg-type]


def test_replies_called_plain_that_hold_tags_are_refused() -> None:
    tagged, plain = "<answer>抱抱你。</answer>", "抱抱你。"
    with pytest.raises(FileError, match=r"mine: 1 of 2 plain replies hold tags, the first <answer>.*kind coe"):
        check_kind([plain, tagged], "plain", "mine")
    # A stray tag among many is the model's fault, not the file's.
    check_kind([plain, plain, tagged], "plain", "mine")
    check_kind([tagged], "coe", "mine")
    references = pd.DataFrame([{"id": "a", "references": [plain]}])
    with pytest.raises(FileError, match="1 of 1 plain replies"):
        score_replies(
            pd.DataFrame([{"question_id": "a", "sample": 0, "text": tagged}]), references, Protocol("zh"), "plain"
        )


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "no replies"),
        ([["a"]], "h.jsonl:1: list, expected an object"),
        ([{"question_id": "a"}], "h.jsonl:1: text is None"),
        ([{"question_id": "", "text": "x"}], "h.jsonl:1: question_id is ''"),
        ([{"question_id": "a", "text": "x", "sample": "x"}], "h.jsonl:1: sample is 'x'"),
        ([{"question_id": "a", "text": "x"}, {"question_id": "a", "text": "y"}], "h.jsonl:2: question a has sample 0"),
    ],
)
def test_bad_replies_are_named(records: list[object], message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        read_replies(lines(tmp_path / "h.jsonl", *records))


def test_what_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text('{"question_id": "a", "text": "x"}\n{broken\n', encoding="utf-8")
    with pytest.raises(FileError, match=r"h\.jsonl:2: not JSON"):
        read_replies(tmp_path / "h.jsonl")
    (tmp_path / "h.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match="UTF-8"):
        read_replies(tmp_path / "h.jsonl")


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"id": "a", "references": 7}], "r.jsonl:1: references is 7, expected a list"),
        ([{"id": "a", "references": []}], "r.jsonl:1: a reference is missing or blank"),
        ([{"id": "a", "references": ["好"]}, {"id": "b", "references": ["好", " "]}], "r.jsonl:2: a reference is"),
        ([{"id": "a", "references": ["好"]}, {"id": "a", "references": ["好"]}], "id a stands there twice"),
    ],
)
def test_bad_references_are_named(records: list[object], message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        read_references(lines(tmp_path / "r.jsonl", *records))


def test_unequal_ids_are_named() -> None:
    references = pd.DataFrame({"id": ["a", "b"], "references": [["好"], ["好"]]})
    rows = {"sample": [0], "text": ["x"]}
    with pytest.raises(FileError, match=r"h\.jsonl: replies to 1 questions without references, the first is z"):
        check_match(pd.DataFrame({"question_id": ["z"], **rows}), references, Path("h.jsonl"))
    with pytest.raises(FileError, match="no reply to 1 of 2 questions, the first is b"):
        check_match(pd.DataFrame({"question_id": ["a"], **rows}), references, Path("h.jsonl"))
    uneven = pd.DataFrame({"question_id": ["a", "a", "b"], "sample": [0, 1, 0], "text": "x"})
    with pytest.raises(FileError, match="b has 1 replies and a 2"):
        check_match(uneven, references, Path("h.jsonl"))


REFERENCES = [
    {"id": "a", "question": "最近很难过", "references": ["你这段时间一定很难过。", "愿意说出来就好。"]},
    {"id": "b", "question": "和父母吵架", "references": ["我们一起想办法。"]},
]


def test_the_command_writes_results_that_can_be_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    references = lines(tmp_path / "set.jsonl", *REFERENCES)
    mine = lines(tmp_path / "mine.jsonl", *({"question_id": q, "text": "听起来很难过。"} for q in "ab"))
    theirs = lines(
        tmp_path / "theirs.jsonl", *({"question_id": q, "text": t} for q, t in (("a", " "), ("b", "想办法")))
    )
    out = tmp_path / "out"
    main(
        f"--hypotheses {mine} {theirs} --references {references} --protocol zh paper --out {out}".split(),
    )
    printed = capsys.readouterr().out
    assert "protocol:zh|refs:mean" in printed.replace("\n", "")
    assert "theirs, set: 1 reply shows nothing (empty)" in printed
    result = Result.read(out / "theirs.zh.json")
    assert result.faults == {"empty": 1}
    assert result.by_question.loc["a", "navg"] == 0.0 < result.by_question.loc["b", "navg"]
    assert result.figures["navg"].mean == pytest.approx(result.by_question["navg"].mean())
    assert result.figures["copy_overlap"].mean == 0.0
    assert len(pd.read_parquet(out / "mine.paper.parquet")) == 2
    with pytest.raises(FileError, match="different protocols"):
        check_comparable([result, Result.read(out / "mine.paper.json")])


def test_reasoning_that_was_cut_is_no_reply() -> None:
    """DeepSeek-R1's opening tag stands in the prompt: of six replies four were cut before they closed it."""
    texts = ["嗯，先看看她说了什么"] * 4 + ["嗯，先看看。\n</think>\n\n抱抱你。"] * 2
    replies = pd.DataFrame({"question_id": list("abcdef"), "sample": 0, "text": texts})
    faults = ["unfinished_reasoning"] * 4 + [""] * 2
    assert [fault for _, fault in shown_parts(replies, "think")] == faults
    # Where all were cut, the runner's word tells it; where it has taken the reasoning off itself, all are replies.
    cut = replies.head(4)
    assert {fault for _, fault in shown_parts(cut.assign(finished=False), "think")} == {"unfinished_reasoning"}
    assert {fault for _, fault in shown_parts(cut.assign(finished=True), "think")} == {""}
    scores = score_replies(
        replies.assign(finished=[False] * 4 + [True] * 2),
        pd.DataFrame({"id": list("abcdef"), "references": [["抱抱你。"]] * 6}),
        Protocol("zh"),
        "think",
    )
    assert scores["cut"].tolist() == [1.0] * 4 + [0.0] * 2
    assert scores["bleu_1"].tolist() == [0.0] * 4 + [1.0] * 2


@pytest.mark.parametrize(
    "mark",
    ["<|im_end|>", "<|endoftext|>", "<｜end▁of▁sentence｜>", "</s>", "<|eot_id|>\n", "<|im_end|>\n<|endoftext|>"],
)
def test_end_marks_of_chat_templates_are_no_text(mark: str) -> None:
    assert shown(f"抱抱你。{mark}", "plain") == ("抱抱你。", "")
    assert shown(f"<think>想</think>抱抱你。{mark}", "think") == ("抱抱你。", "")
    assert shown(mark, "plain") == ("", "empty")
    # Only at the end: what stands inside a text is what the model wrote.
    assert mark.strip() in shown(f"抱抱{mark}你。", "plain")[0]


def test_names_must_fit_the_files(tmp_path: Path) -> None:
    references = lines(tmp_path / "set.jsonl", *REFERENCES)
    with pytest.raises(FileError, match="--names"):
        main(f"--hypotheses {references} {references} --references {references}".split())


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"format": 1}', '{"format": 9}'):
        (tmp_path / "r.json").write_text(text, encoding="utf-8")
        with pytest.raises(FileError, match=r"r\.json"):
            Result.read(tmp_path / "r.json")


def test_results_of_other_questions_are_refused() -> None:
    protocol = Protocol("zh")
    references = pd.DataFrame({"id": ["a", "b", "c"], "references": [["好"], ["好"], ["好"]]})

    def result(model: str, *ids: str) -> Result:
        replies = pd.DataFrame({"question_id": ids, "sample": 0, "text": "好"})
        return Result.of(model, "x", protocol.signature, score_replies(replies, references, protocol, "plain"))

    check_comparable([result("m", "a", "b"), result("n", "a", "b")])
    with pytest.raises(FileError, match="other questions of x: 2 are not in both, one is b"):
        check_comparable([result("m", "a", "b"), result("n", "a", "c")])
    with pytest.raises(FileError, match="m stands there twice"):
        check_comparable([result("m", "a", "b"), result("m", "a", "b")])
    with pytest.raises(FileError, match="no results"):
        check_comparable([])


def test_the_ceiling_is_each_response_against_the_others(tmp_path: Path) -> None:
    texts = ["听起来你很难过。", "今天天气不错。", "抱抱你。"]
    references = pd.DataFrame({"id": ["a", "b", "c"], "references": [texts, texts[:2], texts[:1]]})
    protocol, people = Protocol("zh"), human(references)
    result = people.result("x", protocol.signature, people.named(people.scores(references, protocol)))
    expected = [
        protocol.score(text, protocol.prepare([other for other in texts if other != text]))["rouge_l"] for text in texts
    ]
    assert result.by_question.loc["a", "rouge_l"] == pytest.approx(sum(expected) / 3)
    assert result.by_question.index.tolist() == ["a", "b"]
    assert "1 questions with one response left out" in result.note
    file = lines(tmp_path / "humans.jsonl", *references.to_dict("records"))
    main(f"--references {file} --protocol zh --out {tmp_path}".split())
    assert Result.read(tmp_path / "references.zh.json").figures == result.figures
    with pytest.raises(FileError, match="0 questions with two responses"):
        human(references.tail(1))


def test_every_fault_is_explained() -> None:
    table = pd.DataFrame(
        {
            "text": ["", "<think>想", "好", "<L1>好"],
            "refusal": ["filtered", "", "", ""],
            "finished": [True, False, True, True],
        }
    )
    for kind in ("coe", "think", "plain"):
        faults = {fault for _, fault in shown_parts(table, kind)}
        assert faults - {""} <= FAULTS.keys()
        assert "refused" in faults
    assert shown_parts(pd.DataFrame({"text": [" "]}), "plain") == [("", "empty")]
