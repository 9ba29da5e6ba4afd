"""What a reader has to know before a rise of the reward is taken for better answers.

A policy can earn a reward by copying the post, by writing more or by repeating itself, and a threshold that most
answers pass already says little. Each of these is looked for, and only what is found is told.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from eval.figures import figure
from eval.statistics import paired_interval, paired_p_value
from reward_fns.components import distinct_2

# Relative change of what a reward can be gamed by, above which it is told.
TOLERANCE: Final = 0.1
# Share of the earlier model's answers above T, from which on the answer reward tells little.
EASY: Final = 0.5
# Share of the shortest reference's length, below which a reply is very short.
SHORT: Final = 0.25
# p below which the held-out model is taken to confirm a rise.
_CLEAR: Final = 0.05
_GAMED: Final = {"copy_overlap": "copied from the post", "chars": "characters", "distinct_2": "distinct bigrams"}


def short_for_its_reward(scores: pd.DataFrame, test: pd.DataFrame) -> pd.Series:
    """Of each reply, whether it is very short and the reward model lets it pass all the same.

    Args:
        scores: of `eval.results.add_rewards`; a table without answer has no such reply.
        test: the questions, with id and references.
    """
    if "answer" not in scores:
        return pd.Series(False, index=scores.index)
    shortest = test.set_index("id")["references"].map(lambda texts: min(map(len, texts)))
    limits = SHORT * scores["question_id"].map(shortest)
    return (scores["fault"] == "") & (scores["answer"] > 0) & (scores["chars"] < limits)


def caveats_by_set(
    scores: Mapping[str, pd.DataFrame], test: pd.DataFrame, stages: Sequence[str], seed: int
) -> list[str]:
    """`caveats` of each test set; where there are several, each sentence begins with its name.

    Args:
        scores: over the questions of all test sets.
        test: the questions, with id, test_set and references.
        stages: see `caveats`.
        seed: of the permutation test.
    """
    found = []
    for name, own in test.groupby("test_set", sort=False):
        mine = {model: frame[frame["question_id"].isin(own["id"])] for model, frame in scores.items()}
        found += [(name, sentence) for sentence in [*caveats(mine, stages, seed), *_short(mine, own)]]
    several = test["test_set"].nunique() > 1
    return [f"{name}: {sentence}" if several else sentence for name, sentence in found]


def caveats(scores: Mapping[str, pd.DataFrame], stages: Sequence[str], seed: int) -> list[str]:
    """Sentences on the last stage against the one before it; none where there are not two, or nothing is amiss.

    Length, copying and distinct bigrams are compared over the questions to which both models gave an answer, and over
    their answers alone: a reply that shows nothing has no length to speak of.

    Args:
        scores: of `eval.results.add_rewards`, by model; tables without its figures are silent.
        stages: the run's stages in order, such as base, SFT and SFT+GRPO.
        seed: of the permutation test.
    """
    if len(stages) < 2:
        return []
    earlier, later = stages[-2:]
    before, after = scores[earlier], scores[later]
    found = []
    answered = before[before["fault"] == ""]
    if "answer" in before and len(answered) and float(answered["answer"].mean()) > EASY:
        found.append(
            f"{int(answered['answer'].sum())} of the {len(answered)} replies of {earlier} that show something pass T "
            "already, over half, so less room is left for a gain in it."
        )
    if "answer" in before:
        found += _only_more_answers(before, after, earlier, later)
    if {"answer", "heldout_answer"} <= set(before):
        found += _not_confirmed(before, after, earlier, later, seed)
    return found + _gamed(before, after, earlier, later)


def _short(scores: Mapping[str, pd.DataFrame], test: pd.DataFrame) -> list[str]:
    """How many of the replies that are rewarded are very short, of every model that has some."""
    counts = {model: int(short_for_its_reward(frame, test).sum()) for model, frame in scores.items()}
    told = ", ".join(
        f"{count} of {int(scores[model]['answer'].sum())} ({model})" for model, count in counts.items() if count
    )
    if not told:
        return []
    return [
        f"Of the replies that the reward model lets pass, these are shorter than {SHORT:.0%} of the shortest "
        f"reference: {told}."
    ]


def _only_more_answers(before: pd.DataFrame, after: pd.DataFrame, earlier: str, later: str) -> list[str]:
    """Where the answer's share rises and that of the answers which are there does not."""
    there = [frame[frame["fault"] == ""]["answer"] for frame in (before, after)]
    if after["answer"].mean() <= before["answer"].mean() or not all(map(len, there)):
        return []
    old, new = (float(passed.mean()) for passed in there)
    if new > old:
        return []
    held = [len(passed) / len(frame) for passed, frame in zip(there, (before, after), strict=True)]
    return [
        f"{figure('answer').label} rises from {earlier} to {later} because more replies hold an answer ({held[0]:.0%}, "
        f"then {held[1]:.0%}); of the answers that are there {old:.0%} pass, then {new:.0%}."
    ]


def _not_confirmed(before: pd.DataFrame, after: pd.DataFrame, earlier: str, later: str, seed: int) -> list[str]:
    old, new = (frame.groupby("question_id")[["answer", "heldout_answer"]].mean() for frame in (before, after))
    old = old.loc[new.index]
    if new["answer"].mean() <= old["answer"].mean():
        return []
    pair = new["heldout_answer"].tolist(), old["heldout_answer"].tolist()
    other = paired_interval(*pair, figure("heldout_answer").bounds)
    # By its p and not by its interval, which few questions do not have.
    if other.mean > 0 and paired_p_value(*pair, seed).value < _CLEAR:
        return []
    verb = "does not rise with it" if other.mean <= 0 else "does not clearly rise with it"
    return [
        f"{figure('answer').label} rises from {earlier} to {later}; the share that the held-out reward model lets pass "
        f"{verb}: {other.text('+.3f')}."
    ]


def _gamed(before: pd.DataFrame, after: pd.DataFrame, earlier: str, later: str) -> list[str]:
    old, new = (_means(frame[frame["fault"] == ""]) for frame in (before, after))
    both = old.index.intersection(new.index)
    changes = []
    for key, name in _GAMED.items():
        if key in old and key in new and len(both) and (base := float(old.loc[both, key].mean())):
            change = float(new.loc[both, key].mean()) / base - 1
            if abs(change) > TOLERANCE:
                changes.append(f"{name} {change:+.0%}".replace("-", "−"))
    if not changes:
        return []
    return [
        f"{later}'s answers differ from {earlier}'s in more than what they say: {', '.join(changes)} (over the "
        f"{len(both)} questions to which both gave an answer, and their answers alone)."
    ]


def _means(shown: pd.DataFrame) -> pd.DataFrame:
    """A row a question: means over its answers of what can be gamed."""
    table = shown.assign(distinct_2=shown["shown"].map(distinct_2))
    return table.groupby("question_id")[[key for key in _GAMED if key in table]].mean()
