"""Eq. 5, and the threshold on held-out pairs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric, TripletLoss
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from reward_fns.card import render_card
from reward_fns.choosing import Pairs, choose_threshold, heldout_pairs
from reward_fns.curves import plot_curves
from reward_fns.reward_model import RewardModel, Threshold, load_generic, save_generic
from reward_fns.training import contrastive_loss, generic_replies, train

WORDS = ["考试", "失败", "难过", "工作", "加班", "疲惫", "分手", "想念", "孤单", "加油"]


@pytest.fixture
def encoder() -> SentenceTransformer:
    torch.manual_seed(0)
    vocabulary = {word: index for index, word in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu")


def triplets() -> pd.DataFrame:
    pairs = [("考试 失败", "失败 难过"), ("工作 加班", "加班 疲惫"), ("分手", "想念 孤单")]
    rows = [
        {"question": q, "positive": a, "negative": "加油", "kind": "generic", "split": split}
        for q, a in pairs
        for split in ("train", "heldout")
    ]
    rows += [
        {"question": q, "positive": a, "negative": pairs[(i + 1) % 3][1], "kind": "in_batch", "split": "heldout"}
        for i, (q, a) in enumerate(pairs)
    ]
    return pd.DataFrame(rows)


def formula(q: np.ndarray, p: np.ndarray, n: np.ndarray, margin: float) -> float:
    """Eq. 5 written out pair by pair."""

    def cos(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    terms = [max(0.0, cos(q[i], n[i]) - cos(q[i], p[i]) + margin) for i in range(len(q))]
    terms += [
        max(0.0, cos(q[i], p[j]) - cos(q[i], p[i]) + margin)
        for i in range(len(q))
        for j in range(len(q))
        if not np.allclose(q[i], q[j])
    ]
    return float(np.mean(terms))


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_loss_is_eq_5_for_explicit_and_in_batch_negatives(margin: float) -> None:
    q, p, n = torch.randn(3, 5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    q[3] = q[1]  # a question with two responses: neither is the other's negative
    expected = formula(q.numpy(), p.numpy(), n.numpy(), margin)
    assert float(contrastive_loss(q, p, n, margin)) == pytest.approx(expected, abs=1e-9)


def test_loss_of_one_row_is_the_library_s_triplet_loss(encoder: SentenceTransformer) -> None:
    q, p, n = torch.randn(3, 1, 8, generator=torch.Generator().manual_seed(2))
    library = TripletLoss(encoder, distance_metric=TripletDistanceMetric.COSINE, triplet_margin=0.3)
    expected = library.compute_loss_from_embeddings([q, p, n], torch.zeros(1))
    assert float(contrastive_loss(q, p, n, 0.3)) == pytest.approx(float(expected), abs=1e-6)


def test_training_pulls_answers_to_their_questions(encoder: SentenceTransformer, tmp_path: Path) -> None:
    before = choose_threshold(heldout_pairs(encoder, triplets()), 0.3)
    arguments = {"num_train_epochs": 30, "learning_rate": 0.05, "per_device_train_batch_size": 4, "use_cpu": True}
    train(encoder, triplets(), 0.3, {**arguments, "report_to": "none", "save_strategy": "no"}, tmp_path)
    after = choose_threshold(heldout_pairs(encoder, triplets()), 0.3)
    assert after.auc["generic"] == 1.0
    assert after.auc["in_batch"] == 1.0 > before.auc["in_batch"]
    assert after.accuracy == 1.0


def test_threshold_separates_and_is_read_back(encoder: SentenceTransformer, tmp_path: Path) -> None:
    threshold = choose_threshold(heldout_pairs(encoder, triplets()), 0.3)
    encoder.save(str(tmp_path), create_model_card=False)
    threshold.save(tmp_path)
    save_generic(tmp_path, generic_replies(triplets(), 4))
    model = RewardModel(tmp_path)
    assert model.threshold == threshold
    cosines = model.cosines(["考试 失败", "考试 失败"], ["考试 失败", "加油"])
    assert cosines[0] == pytest.approx(1.0, abs=1e-6)
    assert cosines[1] < 1.0


def test_no_heldout_row_is_an_error(encoder: SentenceTransformer) -> None:
    rows = triplets()
    with pytest.raises(ValueError, match="held-out"):
        heldout_pairs(encoder, rows[rows["split"] == "train"])


def test_missing_threshold_names_the_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make reward-model"):
        Threshold.load(tmp_path)


def test_broken_threshold(tmp_path: Path) -> None:
    (tmp_path / "threshold.json").write_text(
        '{"value": 7, "rule": "", "pairs": 1, "accuracy": 1, "auc": {}, '
        '"false_positive_rate": {}, "true_positive_rate": 1, "slope": 1, "intercept": 0, "margin": 0.3}'
    )
    with pytest.raises(ValueError, match="expected a cosine"):
        Threshold.load(tmp_path)


def test_missing_or_empty_generic_replies(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make reward-model"):
        load_generic(tmp_path)
    save_generic(tmp_path, [])
    with pytest.raises(ValueError, match="at least one"):
        load_generic(tmp_path)
    with pytest.raises(ValueError, match="generic negative"):
        generic_replies(triplets().assign(kind="emotion"), 4)


COSINES = Pairs(
    np.array(["good"] * 4 + ["generic"] * 4 + ["emotion"] * 2),
    np.array([0.9, 0.8, 0.7, 0.3, 0.1, 0.2, 0.25, 0.75, 0.6, 0.0]),
)


@pytest.mark.parametrize(
    ("rule", "rate", "value"),
    [
        ("youden", 0.0, 0.275),  # passes all good ones and two of six others
        ("fpr", 0.0, 0.775),  # between the best of the others and the next good one
        ("fpr", 0.2, 0.65),
        ("tpr", 1.0, 0.275),
        ("tpr", 0.5, 0.775),
    ],
)
def test_rules_for_the_threshold(rule: str, rate: float, value: float) -> None:
    threshold = choose_threshold(COSINES, 0.3, rule, rate)
    assert threshold.value == pytest.approx(value)
    assert threshold.true_positive_rate == pytest.approx((COSINES.of("good") > value).mean())
    assert threshold.false_positive_rate == {
        kind: pytest.approx((COSINES.of(kind) > value).mean()) for kind in ("emotion", "generic")
    }


def test_dense_rewards_are_chances() -> None:
    threshold = choose_threshold(COSINES, 0.3)
    chances = 1 / (1 + np.exp(-(threshold.slope * np.array([0.0, 0.5, 1.0]) + threshold.intercept)))
    assert 0 < chances[0] < 0.3 < chances[1] < 0.8 < chances[2] < 1


def test_a_rule_that_nothing_keeps_is_an_error() -> None:
    best_is_bad = Pairs(np.array(["good", "generic"]), np.array([0.1, 0.9]))
    with pytest.raises(ValueError, match="no answer would pass"):
        choose_threshold(best_is_bad, 0.3, "fpr", 0.0)
    with pytest.raises(ValueError, match="threshold_rate"):
        choose_threshold(COSINES, 0.3, "fpr", 1.5)


def test_card_and_picture_say_what_passes(tmp_path: Path) -> None:
    threshold = choose_threshold(COSINES, 0.3, "fpr", 0.2)
    card = render_card(threshold, COSINES, {"encoder": "static"})
    assert "| a post and its own response | 4 | 0.675 | 75.0% | |" in card
    assert "| negative: emotion | 2 | 0.300 | 0.0% |" in card
    assert "at most 0.2 of the held-out negatives" in card
    plot_curves(COSINES, threshold, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
