"""The reward model's card: what it was trained on, how T was chosen, and what passes it."""

from collections.abc import Mapping

from reward_fns.reward_model import Threshold
from reward_fns.training.choosing import Pairs
from reward_fns.training.trainer import Trained

CURVES = "curves.png"


def render_card(
    threshold: Threshold,
    pairs: Pairs,
    training: Mapping[str, object],
    tried: Mapping[tuple[float, int], Trained],
    ranking: str,
) -> str:
    """The card as Markdown, with the picture of `curves` beside it.

    Args:
        training: what to say of the training, such as encoder, seed, rows; shown as it comes.
        tried: by margin and seed, how each training went.
        ranking: the table of `ranking.render_ranking` for the held-out triplets.
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
        *_trials(tried),
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
    lines += ["", *_RANKING, "", ranking]
    return "\n".join(lines) + "\n"


_RANKING = [
    "Held-out triplets ranked right, and AUC. TF-IDF compares characters (1- to 3-grams) and is fitted on these very",
    "texts; the intervals are by drawing questions with replacement. Hard negatives are about the same matter as the",
    "post, or generic sentences with its words worked in.",
]


def _trials(tried: Mapping[tuple[float, int], Trained]) -> list[str]:
    if all(trial.dev is None for trial in tried.values()):
        return []
    lines = [
        "The state kept is the one that ranks most dev triplets right, which are of training questions set aside:",
        "",
        "| margin | seed | steps | best after step | dev accuracy |",
        "|---:|---:|---:|---:|---:|",
    ]
    for (margin, seed), trial in tried.items():
        lines.append(f"| {margin:g} | {seed} | {trial.steps} | {trial.best_step} | {trial.dev:.4f} |")
    return [*lines, ""]
