"""The reward model's card: what it was trained on, how T was chosen, and what passes it."""

from collections.abc import Mapping

from reward_fns.choosing import Pairs
from reward_fns.reward_model import Threshold

CURVES = "curves.png"


def render_card(threshold: Threshold, pairs: Pairs, training: Mapping[str, object]) -> str:
    """The card as Markdown, with the picture of `curves` beside it.

    Args:
        training: what to say of the training, such as encoder, seed, rows; shown as it comes.
    """
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
    return "\n".join(lines) + "\n"
