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

from reward_fns.reward_model import RewardModel, Threshold
from reward_fns.training import choose_threshold, contrastive_loss, train

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
    before = choose_threshold(encoder, triplets())
    arguments = {"num_train_epochs": 30, "learning_rate": 0.05, "per_device_train_batch_size": 4, "use_cpu": True}
    train(encoder, triplets(), 0.3, {**arguments, "report_to": "none", "save_strategy": "no"}, tmp_path)
    after = choose_threshold(encoder, triplets())
    assert after.auc["generic"] == 1.0
    assert after.auc["in_batch"] == 1.0 > before.auc["in_batch"]
    assert after.accuracy == 1.0


def test_threshold_separates_and_is_read_back(encoder: SentenceTransformer, tmp_path: Path) -> None:
    threshold = choose_threshold(encoder, triplets())
    encoder.save(str(tmp_path), create_model_card=False)
    threshold.save(tmp_path)
    model = RewardModel(tmp_path)
    assert model.threshold == threshold
    cosines = model.cosines(["考试 失败", "考试 失败"], ["考试 失败", "加油"])
    assert cosines[0] == pytest.approx(1.0, abs=1e-6)
    assert cosines[1] < 1.0


def test_no_heldout_row_is_an_error(encoder: SentenceTransformer) -> None:
    rows = triplets()
    with pytest.raises(ValueError, match="held-out"):
        choose_threshold(encoder, rows[rows["split"] == "train"])


def test_missing_threshold_names_the_target(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make reward-model"):
        Threshold.load(tmp_path)


def test_broken_threshold(tmp_path: Path) -> None:
    (tmp_path / "threshold.json").write_text('{"value": 7, "rule": "", "pairs": 1, "accuracy": 1, "auc": {}}')
    with pytest.raises(ValueError, match="expected a cosine"):
        Threshold.load(tmp_path)
