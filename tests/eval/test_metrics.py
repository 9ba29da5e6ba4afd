"""The metrics against the paper's arithmetic, independent formulas and each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import METRICS, bleu_1, characters, distinct_1, meteor, navg, rouge_l, score_reply

TEXT = st.text(alphabet="你我他很难过开心的。，a", max_size=30)

# BLEU-1, Distinct-1, ROUGE-L, METEOR, NAvg: every row of Tables 2, 3 and 4.
PRINTED = [
    (0.314, 0.375, 0.045, 0.314, 0.262),
    (0.253, 0.318, 0.117, 0.298, 0.246),
    (0.250, 0.315, 0.111, 0.299, 0.244),
    (0.251, 0.449, 0.013, 0.270, 0.246),
    (0.004, 0.785, 0.003, 0.118, 0.228),
    (0.232, 0.457, 0.126, 0.249, 0.266),
    (0.261, 0.389, 0.046, 0.275, 0.243),
    (0.161, 0.307, 0.084, 0.250, 0.201),
    (0.161, 0.307, 0.084, 0.249, 0.200),
    (0.257, 0.451, 0.009, 0.241, 0.240),
    (0.022, 0.781, 0.003, 0.140, 0.237),
    (0.124, 0.383, 0.077, 0.193, 0.194),
    (0.249, 0.307, 0.092, 0.278, 0.232),
    (0.292, 0.354, 0.066, 0.309, 0.255),
    (0.296, 0.345, 0.054, 0.309, 0.251),
]


@pytest.mark.parametrize("row", PRINTED)
def test_navg_recomputes_the_printed_rows(row: tuple[float, ...]) -> None:
    bleu, distinct, rouge, met, printed = row
    scores = {"bleu_1": bleu, "rouge_l": rouge, "meteor": met, "distinct_1": distinct}
    assert navg(scores) == pytest.approx(printed, abs=0.001)


def lcs(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@given(TEXT, TEXT)
def test_rouge_l_is_the_f1_of_the_longest_common_subsequence(a: str, b: str) -> None:
    x, y = characters(a), characters(b)
    common = lcs(x, y)
    expected = 0.0 if not common else 2 * (common / len(x)) * (common / len(y)) / (common / len(x) + common / len(y))
    assert rouge_l(x, y) == pytest.approx(expected)


@given(TEXT, TEXT)
def test_all_metrics_stay_between_0_and_1(a: str, b: str) -> None:
    for metric in (bleu_1, rouge_l, meteor):
        assert 0.0 <= metric(characters(a), characters(b)) <= 1.0
    assert 0.0 <= distinct_1(characters(a)) <= 1.0


def test_identical_text() -> None:
    tokens = characters("听起来你这段时间很不容易，愿意说出来就好。")
    assert bleu_1(tokens, tokens) == 1.0
    assert rouge_l(tokens, tokens) == 1.0
    assert meteor(tokens, tokens) > 0.99


def test_known_values() -> None:
    # 3 of 4 characters match; the reply is shorter: brevity penalty exp(1 - 5/4).
    assert bleu_1(list("我很难受"), list("我很难过了")) == pytest.approx(0.75 * 2.718281828 ** (1 - 5 / 4))
    assert distinct_1(list("好好好坏")) == 0.5


@given(TEXT, st.lists(TEXT.filter(str.strip), min_size=1, max_size=4))
def test_mean_over_references_in_any_order(reply: str, references: list[str]) -> None:
    scores = score_reply(reply, references)
    assert set(scores) == {*METRICS, "navg"}
    assert scores == pytest.approx(score_reply(reply, references[::-1]))
    for name in ("bleu_1", "rouge_l", "meteor"):
        alone = [score_reply(reply, [reference])[name] for reference in references]
        assert scores[name] == pytest.approx(sum(alone) / len(alone))


def test_empty_reply_scores_0() -> None:
    assert set(score_reply("  ", ["参考"]).values()) == {0.0}


@pytest.mark.parametrize("references", [[], [""], ["参考", " "]])
def test_missing_references_are_an_error(references: list[str]) -> None:
    with pytest.raises(ValueError, match="references"):
        score_reply("回复", references)
