"""The reward model's card and its picture: what it was trained on, how T was chosen, and what passes it."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_curve

from common.pages import Markdown, page
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
    comparison: Markdown,
) -> str:
    """The card, ``templates/reward_model.md.jinja``, with the picture of `plot_curves` beside it.

    Args:
        trained: how the training went.
        comparison: the table of `pairwise.render_pairwise` for the held-out triplets.
    """
    good = pairs.of(GOOD)
    rows = [("a post and its own response", len(good), f"{good.mean():.3f}", f"{threshold.true_positive_rate:.1%}", "")]
    for kind in pairs.kinds:
        scores, passed = pairs.of(kind), f"{threshold.false_positive_rate[kind]:.1%}"
        rows.append((f"negative: {kind}", len(scores), f"{scores.mean():.3f}", passed, f"{threshold.auc[kind]:.3f}"))
    return page(
        "reward_fns.training",
        "reward_model",
        threshold=threshold,
        pairs=rows,
        config=config,
        trained=trained,
        seed=seed,
        comparison=comparison,
        picture=CURVES,
    )


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
