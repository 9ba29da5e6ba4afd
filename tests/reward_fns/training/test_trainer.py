"""Eq. 5, and the threshold on held-out pairs."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import TripletDistanceMetric, TripletLoss
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from common.pages import Markdown
from reward_fns.encoder import Encoder
from reward_fns.reward_model import RewardModel, Threshold, load_generic, save_generic
from reward_fns.training.building import build_encoder, freeze
from reward_fns.training.card import plot_curves, render_card
from reward_fns.training.choosing import Pairs, choose_threshold, heldout_pairs
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.loss import contrastive_loss
from reward_fns.training.pairwise import triplet_cosines
from reward_fns.training.trainer import (
    OneGpuArguments,
    Trained,
    draw_epochs,
    generic_replies,
    split_dev,
    take_heldout,
    train,
)

WORDS = ["考试", "失败", "难过", "工作", "加班", "疲惫", "分手", "想念", "孤单", "加油"]


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    vocabulary = {word: index for index, word in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return Encoder(SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu"))


def triplets() -> pd.DataFrame:
    pairs = [("考试 失败", "失败 难过"), ("工作 加班", "加班 疲惫"), ("分手", "想念 孤单")]
    rows = [
        {"question_id": q, "question": q, "positive": a, "negative": "加油", "kind": "generic", "split": split}
        for q, a in pairs
        for split in ("train", "heldout")
    ]
    rows += [
        {
            "question_id": q,
            "question": q,
            "positive": a,
            "negative": pairs[(i + 1) % 3][1],
            "kind": "in_batch",
            "split": "heldout",
        }
        for i, (q, a) in enumerate(pairs)
    ]
    return pd.DataFrame(rows)


def formula(q: np.ndarray, p: np.ndarray, n: np.ndarray, asker: list[int], margin: float, in_batch: float) -> float:
    """Eq. 5 written out pair by pair."""

    def cos(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    def term(i: int, negative: np.ndarray) -> float:
        return max(0.0, cos(q[i], negative) - cos(q[i], p[i]) + margin)

    explicit = [term(i, n[i]) for i in range(len(q))]
    others = [term(i, p[j]) for i in range(len(q)) for j in range(len(q)) if asker[i] != asker[j]]
    if not others:
        return float(np.mean(explicit))
    return float((1 - in_batch) * np.mean(explicit) + in_batch * np.mean(others))


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("in_batch", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("asker", [[0, 1, 2, 1, 3], [0, 1, 2, 3, 4], [7, 7, 7, 7, 7]])
def test_loss_is_eq_5_for_explicit_and_in_batch_negatives(margin: float, in_batch: float, asker: list[int]) -> None:
    q, p, n = torch.randn(3, 5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = formula(q.numpy(), p.numpy(), n.numpy(), asker, margin, in_batch)
    q, p, n = (torch.nn.functional.normalize(part, dim=-1) for part in (q, p, n))
    found = contrastive_loss((q * p).sum(-1), (q * n).sum(-1), q @ p.T, torch.tensor(asker), margin, in_batch)
    assert float(found) == pytest.approx(expected, abs=1e-9)


def test_loss_of_one_row_is_the_library_s_triplet_loss(encoder: Encoder) -> None:
    q, p, n = torch.randn(3, 1, 8, generator=torch.Generator().manual_seed(2))
    library = TripletLoss(encoder.model, distance_metric=TripletDistanceMetric.COSINE, triplet_margin=0.3)
    expected = library.compute_loss_from_embeddings([q, p, n], torch.zeros(1))
    q, p, n = (torch.nn.functional.normalize(part, dim=-1) for part in (q, p, n))
    found = contrastive_loss((q * p).sum(-1), (q * n).sum(-1), q @ p.T, torch.zeros(1), 0.3, 0.5)
    assert float(found) == pytest.approx(float(expected), abs=1e-6)


def config(**changes: Any) -> RewardModelConfig:
    arguments = {"learning_rate": 0.05, "per_device_train_batch_size": 4, "use_cpu": True, "report_to": "none"}
    training = {**arguments, "dataloader_pin_memory": False}
    return RewardModelConfig(**{"encoder": "static", "epochs": 30, "training": training, **changes})


def thresholds(encoder: Encoder) -> Threshold:
    heldout = take_heldout(triplets(), 100, 1)
    return choose_threshold(heldout_pairs(heldout, *triplet_cosines(encoder, heldout)), 0.3)


def test_training_pulls_answers_to_their_questions(encoder: Encoder, tmp_path: Path) -> None:
    before = thresholds(encoder)
    trained = train(encoder, *split_dev(triplets(), 0, 1), config(), 1, tmp_path)
    after = thresholds(encoder)
    assert trained.dev is None
    assert trained.triplets == 3
    assert trained.steps == 23  # 3 rows in 30 epochs, by 4
    assert after.auc["generic"] == 1.0
    assert after.auc["in_batch"] == 1.0 > before.auc["in_batch"]
    assert after.accuracy == 1.0


def test_the_state_that_ranks_dev_best_is_kept_and_training_stops(encoder: Encoder, tmp_path: Path) -> None:
    rows, _ = split_dev(triplets(), 0, 1)
    trained = train(encoder, rows, rows, config(), 1, tmp_path)
    # Three rows are soon ranked right, and from then on no evaluation gains.
    assert trained.dev == 1.0
    assert trained.best_step is not None
    assert trained.best_step < trained.steps < 23


def test_each_epoch_draws_its_share_anew() -> None:
    rows = pd.DataFrame({"n": range(1000)})
    planned = draw_epochs(rows, 0.25, 2, 7)
    assert len(planned) == pytest.approx(500, abs=60)
    assert planned["n"].nunique() > 1.5 * 250
    assert planned.equals(draw_epochs(rows, 0.25, 2, 7))
    assert not planned.equals(draw_epochs(rows, 0.25, 2, 8))
    whole = draw_epochs(rows, 1.0, 2, 7)["n"]
    assert sorted(whole[:1000]) == sorted(whole[1000:]) == list(range(1000))
    with pytest.raises(ValueError, match=r"epoch_share=1e-09 draws none of the 1000"):
        draw_epochs(rows, 1e-9, 1, 7)


class _KilledError(RuntimeError):
    pass


@pytest.mark.parametrize(("with_dev", "last"), [(False, 23), (True, 18)])
def test_a_killed_training_goes_on_from_its_checkpoint(
    with_dev: bool, last: int, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint is made each quarter of the 23 steps; dev stops the training after two rankings without a gain."""
    rows, dev = split_dev(triplets(), 0, 1)
    dev = rows if with_dev else dev
    begun = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    expected = train(encoder, rows, dev, config(), 1, tmp_path / "whole")
    whole = encoder.model.encode(["考试 失败"])
    steps: list[int] = []
    step = SentenceTransformerTrainer.training_step

    def dying(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.state.global_step == 15 and len(steps) == 15:
            raise _KilledError
        steps.append(self.state.global_step)
        return step(self, *arguments, **named)

    monkeypatch.setattr(SentenceTransformerTrainer, "training_step", dying)
    encoder.model.load_state_dict(begun)
    with pytest.raises(_KilledError):
        train(encoder, rows, dev, config(), 1, tmp_path / "killed")
    encoder.model.load_state_dict(begun)
    trained = train(encoder, rows, dev, config(), 1, tmp_path / "killed", resume=True)
    assert (trained.steps, trained.best_step, trained.dev) == (last, expected.best_step, expected.dev)
    assert steps == [*range(15), *range(12, last)]
    assert encoder.model.encode(["考试 失败"]) == pytest.approx(whole, abs=1e-6)


def test_dev_questions_are_whole_and_not_trained_on() -> None:
    rows, dev = split_dev(triplets(), 1, 1)
    assert len(dev) == 1
    assert len(rows) == 2
    assert not set(rows["question_id"]) & set(dev["question_id"])
    with pytest.raises(ValueError, match="most of the 3 training triplets"):
        split_dev(triplets(), 2, 1)


def test_frozen_parameters_stay(encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no parameter is left"):
        freeze(encoder.model, ["embedding"])
    with pytest.raises(ValueError, match="no parameter's name holds 'layer_7'"):
        freeze(encoder.model, ["layer_7"])


def test_an_untrained_embedding_bag_is_tfidf_projected(encoder: Encoder, tmp_path: Path) -> None:
    encoder.model.tokenizer.save(str(tmp_path / "tokenizer.json"))
    PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"), unk_token="[UNK]").save_pretrained(
        tmp_path
    )
    texts = ["考试 失败", "考试 难过", "考试 工作", "考试 加班"]
    np.random.seed(1)
    bag = build_encoder(config(dimension=4096), str(tmp_path), texts, 0)
    both, common, rare, other = bag.encode(["考试 失败", "考试", "失败", "分手"]).dense
    idf = {"考试": 1.0, "失败": np.log(5 / 2) + 1}
    length = np.hypot(*idf.values())
    assert both @ common == pytest.approx(idf["考试"] / length, abs=0.05)
    assert both @ rare == pytest.approx(idf["失败"] / length, abs=0.05)
    assert both @ other == pytest.approx(0.0, abs=0.05)
    again = build_encoder(config(dimension=4096), str(tmp_path), texts, 0)
    assert np.array_equal(again.encode(texts).dense, bag.encode(texts).dense)


def test_threshold_separates_and_is_read_back(encoder: Encoder, tmp_path: Path) -> None:
    threshold = thresholds(encoder)
    encoder.save(tmp_path)
    threshold.save(tmp_path)
    save_generic(tmp_path, generic_replies(triplets(), 4))
    model = RewardModel(tmp_path)
    assert model.threshold == threshold
    cosines = model.cosines(["考试 失败", "考试 失败"], ["考试 失败", "加油"])
    assert cosines[0] == pytest.approx(1.0, abs=1e-6)
    assert cosines[1] < 1.0


def test_no_heldout_row_is_an_error() -> None:
    with pytest.raises(ValueError, match="held-out"):
        heldout_pairs(triplets().iloc[:0], np.zeros(0), np.zeros(0))


def test_each_pair_counts_once() -> None:
    rows = pd.concat([triplets().query("split == 'heldout'")] * 2, ignore_index=True)
    pairs = heldout_pairs(rows, np.tile(np.arange(1.0, 7.0), 2), -np.ones(len(rows)))
    assert (int(pairs.good.sum()), len(pairs.of("generic")), len(pairs.of("in_batch"))) == (3, 3, 3)
    assert (pairs.cosine[pairs.good] > 0).all()


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
        ("fpr_each", 0.3, 0.65),  # one of four generic ones may pass, none of two of another emotion
        ("fpr_each", 0.5, 0.225),  # half of each
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


def test_card_and_picture_say_what_passes(tmp_path: Path) -> None:
    threshold = choose_threshold(COSINES, 0.3, "fpr", 0.2)
    card = render_card(threshold, COSINES, config(), Trained(1200, 0.1, 20, 0.8, 15), 1, Markdown("| a table |\n"))
    card = re.sub(" +", " ", card)
    assert "| triplets | 1,200, of which an epoch draws 1 |" in card
    assert "after step 15, which ranks 0.8000 of the dev triplets right" in card
    assert "| a table |" in card
    assert "dev" not in render_card(threshold, COSINES, config(), Trained(1200, 0.1, 20, None, None), 1, Markdown(""))
    assert "| a post and its own response | 4 | 0.675 | 75.0% | |" in card
    assert "| negative: emotion | 2 | 0.300 | 0.0% |" in card
    assert "at most 0.2 of the held-out negatives" in card
    plot_curves(COSINES, threshold, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_one_gpu_trains_however_many_there_are(tmp_path: Path) -> None:
    """The Trainer's own count makes 128 texts a step of 16 on a node of 8."""
    arguments = OneGpuArguments(output_dir=str(tmp_path), per_device_train_batch_size=16, use_cpu=True)
    assert arguments.device.type == "cpu"
    arguments._n_gpu = 8
    assert arguments.train_batch_size == 16
    theirs = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=16, use_cpu=True
    )
    assert theirs.device.type == "cpu"
    theirs._n_gpu = 8
    assert theirs.train_batch_size == 128
