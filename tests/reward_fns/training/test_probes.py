"""Attacks on the reward, and the guards against them."""

import re

import pandas as pd
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from reward_fns.options import Guards
from reward_fns.reward_model import RewardModel, Threshold, save_generic
from reward_fns.training.probes import ATTEMPTS, GENUINE, heldout_questions, render_probes, run_probes

QUESTION = "考试没有考好，很难过，不知道怎么跟爸妈说"
RESPONSE = "没考好的那天，难过是真的。先不急着想怎么跟爸妈说，把最怕听到的那句话写下来。"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> RewardModel:
    folder = tmp_path_factory.mktemp("model")
    vocabulary = {token: index for index, token in enumerate(["[UNK]", *sorted(set(QUESTION + RESPONSE))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    encoder = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=64)], device="cpu")
    encoder.save(str(folder), create_model_card=False)
    Threshold(0.3, "by hand", 0, 1.0, {}, {}, 1.0, slope=1.0, intercept=0.0, margin=0.3).save(folder)
    save_generic(folder, ["加油"])
    return RewardModel(folder)


def triplets() -> pd.DataFrame:
    negatives = {
        "in_batch": "把课表重排一遍。",
        "emotion": "真替你高兴。",
        "generic": "一切都会好起来。",
        "dressed": "说到考试，一切都会好。",
    }
    rows = [
        {"question": QUESTION, "positive": RESPONSE, "negative": text, "kind": kind, "split": split}
        for kind, text in negatives.items()
        for split in ("heldout", "train")
    ]
    # Without a negative of another emotion it cannot be probed.
    rows.append({**rows[0], "question": "只有一种", "kind": "generic"})
    return pd.DataFrame(rows)


def test_questions_with_all_kinds_of_negatives_are_probed() -> None:
    (held,) = heldout_questions(triplets(), 5, 1)
    assert (held.question, held.response, held.emotion) == (QUESTION, RESPONSE, "真替你高兴。")
    with pytest.raises(ValueError, match="no held-out question"):
        heldout_questions(triplets().assign(split="train"), 5, 1)


def test_probes_with_and_without_guards(model: RewardModel) -> None:
    questions = heldout_questions(triplets(), 5, 1)
    guards = Guards(max_copy=0.5, min_distinct_2=0.6, min_chars=10)
    results = {result.name: result for result in run_probes(model, questions, guards, seed=1)}
    assert list(results) == list(ATTEMPTS)
    assert (results["parrot"].passed, results["parrot"].guarded) == (1.0, 0.0)
    assert (results["repeated"].passed, results["repeated"].guarded) == (1.0, 0.0)
    assert (results[GENUINE].passed, results[GENUINE].guarded) == (1.0, 1.0)
    for name in ("empty", "whitespace", "tags"):
        assert results[name].passed == 0.0
    assert all(result.answers == 1 for result in results.values())
    table = re.sub(" +", " ", render_probes(list(results.values()), guards, 0.3))
    assert "(min_chars 10, max_copy 0.5, min_distinct_2 0.6)" in table
    assert "| parrot | the question itself | 100.0% | 0.0% |" in table


def test_probes_are_the_same_for_a_seed(model: RewardModel) -> None:
    questions = heldout_questions(triplets(), 5, 1)
    assert run_probes(model, questions, Guards(), 7) == run_probes(model, questions, Guards(), 7)
