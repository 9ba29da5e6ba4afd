"""The reward model's card and its picture: what it was trained on, how T was chosen, and what passes it."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from reward_fns.reward_model import Threshold
from reward_fns.training.choosing import GOOD, Pairs
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.trainer import Trained

CURVES = "curves.png"
_BINS = 40


def render_card(
    threshold: Threshold,
    pairs: Pairs,
    config: RewardModelConfig,
    trained: Trained,
    seed: int,
    comparison: str,
) -> str:
    """The card as Markdown, with the picture of `plot_curves` beside it.

    Args:
        trained: how the training went.
        comparison: the table of `pairwise.render_pairwise` for the held-out triplets.
    """
    training = {
        "encoder": config.encoder,
        "triplets": f"{trained.triplets:,}, of which an epoch draws {config.epoch_share:g}",
        "epochs": config.epochs,
        "word overlap": f"{config.lexical:g} beside the encoder's 1",
        "margin m of Eq. 5": f"{config.margin:g}",
        "in-batch share of the loss": config.in_batch,
        "share of the weights at the start": config.start_share,
        "steps": trained.steps,
        "mean loss": f"{trained.loss:.4f}",
        "seed": seed,
    }
    if trained.dev is not None:
        training["state kept"] = (
            f"after step {trained.best_step}, which ranks {trained.dev:.4f} of the dev triplets right, training "
            "questions set aside"
        )
    lines = [
        "# Reward model",
        "",
        "An encoder E whose cosine of a post and an answer is the answer reward of GRPO (Eq. 6): 1 above T, 0 else. It",
        "is trained with Eq. 5 to put a post closer to its own responses than to others. It ranks likeness of content,",
        "not empathy and not safety, and is no judge of real conversations.",
        "",
        "| training | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in training.items()),
        "",
        f"**T = {threshold.value:.4f}**: {threshold.rule}. It is on the right side of {threshold.accuracy:.1%} of "
        f"{threshold.pairs} held-out pairs, good and bad weighted equally.",
        "",
        "| held-out pairs | pairs | mean cosine | above T | AUC |",
        "|---|---:|---:|---:|---:|",
        f"| a post and its own response | {int(pairs.good.sum())} | {pairs.cosine[pairs.good].mean():.3f} | "
        f"{threshold.true_positive_rate:.1%} | |",
    ]
    for kind in pairs.kinds:
        scores = pairs.of(kind)
        lines.append(
            f"| negative: {kind} | {len(scores)} | {scores.mean():.3f} | {threshold.false_positive_rate[kind]:.1%} | "
            f"{threshold.auc[kind]:.3f} |"
        )
    lines += [
        "",
        f"![ROC curves and scores]({CURVES})",
        "",
        f"Mode `dense` is 1 / (1 + exp(−({threshold.slope:.3f} · cosine {threshold.intercept:+.3f}))), the chance that",
        "a pair is a good one; mode `margin` is the lead over the closest of the replies in `generic.json`, in margins",
        f"of {threshold.margin:g}.",
    ]
    lines += ["", *_COMPARISON, "", comparison]
    return "\n".join(lines) + "\n"


_COMPARISON = [
    "Held-out triplets ranked right, and AUC. TF-IDF compares characters (1- to 3-grams) and is fitted on these very",
    "texts; the intervals are by drawing questions with replacement. Hard negatives are about the same matter as the",
    "post, or generic sentences with its words worked in.",
]


def plot_curves(pairs: Pairs, threshold: Threshold, file: Path) -> None:
    """Write one picture (PNG): left the ROC curves with T marked on each, right the share of pairs by cosine.

    Args:
        pairs: held-out, as `choosing.heldout_pairs` makes them.
        threshold: chosen on them.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for number, kind in enumerate(pairs.kinds, start=1):
        mine = pairs.good | (pairs.kind == kind)
        false_positive, true_positive, _ = roc_curve(pairs.good[mine], pairs.cosine[mine])
        left.plot(false_positive, true_positive, color=f"C{number}", label=f"{kind}: AUC {threshold.auc[kind]:.3f}")
        left.plot(threshold.false_positive_rate[kind], threshold.true_positive_rate, "o", color=f"C{number}")
    left.plot([0, 1], [0, 1], color="0.8", linewidth=1)
    left.set(xlabel="negatives above T", ylabel="responses above T", title="ROC on held-out questions", aspect="equal")
    left.legend(loc="lower right", frameon=False)
    edges = np.linspace(pairs.cosine.min(), pairs.cosine.max(), _BINS + 1)
    for number, kind in enumerate([GOOD, *pairs.kinds]):
        scores = pairs.of(kind)
        right.hist(
            scores,
            edges,
            weights=np.full(len(scores), 1 / len(scores)),
            histtype="step",
            color=f"C{number}",
            label=kind,
        )
    right.axvline(threshold.value, color="0.3", linestyle="--", linewidth=1, label=f"T = {threshold.value:.3f}")
    right.set(xlabel="cos(E(q), E(a))", ylabel="share of pairs", title="Scores of held-out pairs")
    right.legend(frameon=False)
    figure.savefig(file, dpi=120)
    plt.close(figure)
