"""What is told beside a gain, and that nothing is told where nothing is amiss."""

import pandas as pd
import pytest

from eval.caveats import caveats

PLAIN = "你这段时间一直睡不好，白天还要上班，身体当然吃不消。先把手机放到客厅去充电，看看能不能早睡一点。"


def scores(
    answer: float = 0.4, heldout: float = 0.4, text: str = PLAIN, copied: float = 0.1, silent: int = 0
) -> pd.DataFrame:
    """Ten questions, ten replies each: of those shown, the shares given pass; the first `silent` show nothing."""
    rows = []
    for question in range(10):
        for sample in range(10):
            there = sample >= silent
            rows.append(
                {
                    "question_id": f"q{question}",
                    "sample": sample,
                    "fault": "" if there else "no answer",
                    "shown": text if there else "",
                    "chars": len(text) if there else 0,
                    "copy_overlap": copied if there else 0.0,
                    "answer": float(there and (sample + question) % 10 < answer * 10),
                    "heldout_answer": float(there and (sample + question) % 10 < heldout * 10),
                }
            )
    return pd.DataFrame(rows)


def told(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    return caveats({"base": before, "SFT": before, "SFT+GRPO": after}, ["base", "SFT", "SFT+GRPO"], seed=0)


def test_silent_where_nothing_is_amiss() -> None:
    assert told(scores(), scores(answer=0.5, heldout=0.5)) == []
    assert caveats({"SFT": scores()}, ["SFT"], seed=0) == []


def test_an_easy_threshold_is_told_by_the_answers_that_are_there() -> None:
    (sentence,) = told(scores(answer=0.7), scores(answer=0.7))
    assert "70 of the 100 replies of SFT that show something pass T already, over half" in sentence
    # Of all replies 45 % pass, of those that say something 90 %.
    assert any(
        "45 of the 50 replies of SFT" in one for one in told(scores(answer=0.9, silent=5), scores(answer=0.9, silent=5))
    )


@pytest.mark.parametrize(
    ("heldout", "words"), [(0.4, "does not rise with it: +0.000"), (0.2, "does not rise with it: -0.200")]
)
def test_a_rise_that_the_held_out_model_does_not_see(heldout: float, words: str) -> None:
    (sentence,) = told(scores(), scores(answer=0.5, heldout=heldout))
    assert words in sentence


def test_no_word_on_the_held_out_model_where_the_answer_falls() -> None:
    assert told(scores(answer=0.4), scores(answer=0.3, heldout=0.2)) == []


def test_copying_length_and_repetition_beyond_a_tenth() -> None:
    (sentence,) = told(scores(), scores(text=PLAIN * 3, copied=0.2))
    assert "copied from the post +100%, characters +200%, distinct bigrams −6" in sentence
    assert told(scores(), scores(copied=0.109)) == []


def test_a_rise_that_comes_from_more_answers_alone() -> None:
    (sentence,) = told(scores(silent=4, answer=0.4, heldout=0.4), scores(silent=0, answer=0.4, heldout=0.4))
    assert "because more replies hold an answer (60%, then 100%); of the answers that are there 40% pass, then 40%" in (
        sentence
    )
    assert told(scores(silent=4), scores(answer=0.5, heldout=0.5)) == []


def test_replies_that_show_nothing_are_left_out_of_length() -> None:
    assert not any("characters" in sentence for sentence in told(scores(silent=4), scores()))
