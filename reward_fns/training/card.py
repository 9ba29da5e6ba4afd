"""The reward model's card: what it was trained on, how T was chosen, and what passes it."""

from reward_fns.reward_model import Threshold
from reward_fns.training.choosing import Pairs
from reward_fns.training.config import RewardModelConfig
from reward_fns.training.trainer import Trained

CURVES = "curves.png"


def render_card(
    threshold: Threshold,
    pairs: Pairs,
    config: RewardModelConfig,
    trained: Trained,
    seed: int,
    comparison: str,
) -> str:
    """The card as Markdown, with the picture of `curves` beside it.

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
