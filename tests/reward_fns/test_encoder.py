"""E with a lexical part and a whitening layer: still a cosine, saved and loaded whole, trained by Eq. 5 as it is."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers

from common.code import REPO
from reward_fns.encoder import Encoder, stack
from reward_fns.lexical import LEXICAL_FILE, Lexical
from reward_fns.reward_model import RewardModel, Threshold, save_generic
from reward_fns.training.building import build_encoder, toward_start
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.loss import ContrastiveEmpathyLoss
from reward_fns.training.pairwise import triplet_cosines

TEXTS = ["最近总是失眠", "失眠的时候起来走走", "工作很累", "换一份工作之前先歇一歇", "和妈妈吵架了"]


@pytest.fixture
def model() -> SentenceTransformer:
    torch.manual_seed(0)
    vocabulary = {token: index for index, token in enumerate(["[UNK]", *sorted(set("".join(TEXTS)))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")


@pytest.fixture
def hybrid(model: SentenceTransformer) -> Encoder:
    return Encoder(model, Lexical.fit(TEXTS, 3.0))


def test_lexical_vectors_are_tfidf() -> None:
    vectors = Lexical.fit(TEXTS, 3.0).vectors([*TEXTS, "最近总是失眠", "甲乙丙"])
    likeness = (vectors @ vectors.T).toarray()
    assert np.diag(likeness)[:6] == pytest.approx(np.ones(6), abs=1e-6)
    assert likeness[0, 5] == pytest.approx(1.0, abs=1e-6)
    assert likeness[0, 1] > likeness[0, 2] == 0.0
    # What the corpus never held weighs nothing.
    assert not likeness[6].any()


def test_the_cosine_is_the_weighed_mean_of_both(hybrid: Encoder, model: SentenceTransformer) -> None:
    embedded = hybrid.encode(TEXTS)
    dense = Encoder(model).encode(TEXTS)
    lexical = Lexical.fit(TEXTS, 3.0).vectors(TEXTS)
    expected = (dense.dense @ dense.dense.T + 3 * (lexical @ lexical.T).toarray()) / 4
    assert embedded.all_cosines(embedded) == pytest.approx(expected, abs=1e-6)
    assert embedded[[0, 2]].cosines(embedded[[1, 3]]) == pytest.approx(expected[[0, 2], [1, 3]], abs=1e-6)
    again = stack([embedded[[0, 1]], embedded[[2, 3, 4]]])
    assert again.all_cosines(again) == pytest.approx(expected, abs=1e-6)


def test_saved_and_loaded(hybrid: Encoder, model: SentenceTransformer, tmp_path: Path) -> None:
    hybrid.save(tmp_path)
    loaded = Encoder.load(tmp_path, "cpu")
    texts = hybrid.encode(TEXTS)
    assert loaded.encode(TEXTS).all_cosines(texts) == pytest.approx(texts.all_cosines(texts), abs=1e-6)
    Encoder(model).save(tmp_path)
    assert Encoder.load(tmp_path, "cpu").lexical is None
    hybrid.save(tmp_path)
    assert loaded.lexical is not None
    assert loaded.lexical.share == 3.0
    np.savez(tmp_path / LEXICAL_FILE, weights=np.zeros(3, dtype=np.float32), share=3.0)
    with pytest.raises(ValueError, match=r"lexical.npz: cannot reshape array of size 3 .* `make reward-model`"):
        Encoder.load(tmp_path, "cpu")
    (tmp_path / LEXICAL_FILE).write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(ValueError, match="make reward-model"):
        Encoder.load(tmp_path, "cpu")


def test_the_reward_model_uses_both_parts(hybrid: Encoder, tmp_path: Path) -> None:
    hybrid.save(tmp_path)
    save_generic(tmp_path, [TEXTS[4]])
    Threshold(0.3, "by hand", 0, 1.0, {}, {}, 1.0, slope=1.0, intercept=0.0, margin=0.3).save(tmp_path)
    reward = RewardModel(tmp_path)
    embedded = hybrid.encode(TEXTS)
    expected = embedded.all_cosines(embedded)
    for _ in range(2):  # the second time from what is kept of the questions
        judged = reward.judge([TEXTS[0], TEXTS[2], TEXTS[0]], [TEXTS[1], TEXTS[3], TEXTS[3]])
        found = [judgement.cosine for judgement in judged]
        assert found == pytest.approx([expected[0, 1], expected[2, 3], expected[0, 3]], abs=1e-6)
    lead = (expected[2, 3] - expected[2, 4]) / 0.3
    assert judged[1].margin == pytest.approx(min(max(lead, 0), 1), abs=1e-5)
    assert reward.hits == 2


def test_training_s_loss_sees_both_parts(hybrid: Encoder) -> None:
    rows = pd.DataFrame(
        {
            "question_id": ["a", "b"],
            "question": [TEXTS[0], TEXTS[2]],
            "positive": [TEXTS[1], TEXTS[3]],
            "negative": [TEXTS[4], TEXTS[4]],
        }
    )
    features = [hybrid.model.preprocess(rows[name].tolist()) for name in ("question", "positive", "negative")]
    found = float(ContrastiveEmpathyLoss(hybrid, rows, 0.2, 0.0)(features, torch.tensor([0, 1])))
    good, bad = triplet_cosines(hybrid, rows)
    assert found == pytest.approx(float(np.maximum(0, bad - good + 0.2).mean()), abs=1e-6)


def test_whitening_takes_the_mean_off_and_evens_the_axes(model: SentenceTransformer, tmp_path: Path) -> None:
    model.save(str(tmp_path), create_model_card=False)
    texts = ["".join(np.random.default_rng(i).choice(list("".join(TEXTS)), 6)) for i in range(200)]
    white = build_encoder(RewardModelConfig(str(tmp_path), whiten=1.0), "", texts, 1)
    vectors = white.model.encode(texts)
    assert vectors.mean(axis=0) == pytest.approx(np.zeros(8), abs=1e-4)
    spread = np.linalg.svd(vectors, compute_uv=False)
    assert spread / spread.mean() == pytest.approx(np.ones(8), abs=1e-3)
    half = RewardModelConfig(str(tmp_path), whiten=0.0, frozen=["embedding."])
    frozen = build_encoder(half, "", texts, 1)
    assert {name for name, value in frozen.model.named_parameters() if value.requires_grad} == {
        "1.linear.weight",
        "1.linear.bias",
    }


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_between_the_trained_and_those_at_the_start(model: SentenceTransformer, share: float) -> None:
    start = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    mixed = toward_start(Encoder(model), Encoder(start), share).model
    for begun, weight in zip(start.parameters(), mixed.parameters(), strict=True):
        assert torch.allclose(weight, begun + 1.0 - share)


def test_a_checkpoint_in_bfloat16_is_trained_in_float32() -> None:
    """In bfloat16 a step of 2e-5 rounds away in most weights."""
    base = REPO / "recipes" / "tiny_base" / "model"
    trained = build_encoder(RewardModelConfig(str(base)), str(base), TEXTS, 0).model
    before = [parameter.detach().clone() for parameter in trained.parameters()]
    for parameter in trained.parameters():
        parameter.grad = torch.ones_like(parameter)
    torch.optim.AdamW(trained.parameters(), lr=2e-5, weight_decay=0.0).step()
    moved = [(now != then).float().mean() for now, then in zip(trained.parameters(), before, strict=True)]
    assert min(moved) > 0.99
