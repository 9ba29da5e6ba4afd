"""The sentences that open the HTML report, and the levels that they are about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from eval.compare import CLEAR, Gain, stages
from eval.figures import figure, figures_of
from eval.intervals import LEAST
from eval.report import signed
from eval.results import Result
from eval.statistics import Interval, PValue
from eval.tables import ASKED


@dataclass(frozen=True, slots=True)
class Level:
    """A figure before and after the last stage.

    Attributes:
        gain: the comparison.
        before, after: the two means; of a figure of the text over the questions to which both models show something.
        change: the paired difference of the same questions.
    """

    gain: Gain
    before: float
    after: float
    change: Interval


def levels(gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str]) -> list[Level]:
    """The last stage beside the one before it: first the figures of whole outputs, then those of the text.

    Args:
        gains: of `eval.compare.compare` of these results.
        results: in order.
        figures: of the headline; of the others those of whole outputs are told.
    """
    known = {(one.test_set, one.model): one for one in results}
    found = []
    for gain in _of_pairs(gains, results, figures_of("gains"), _last(results)):
        pair = known[gain.test_set, gain.theirs], known[gain.test_set, gain.ours]
        if not figure(gain.figure).of_text:
            before, after = (one.figures[gain.figure].mean for one in pair)
            found.append(Level(gain, before, after, gain.gain))
        elif gain.shown is not None and gain.figure in figures:
            tables = [one.shown_by_question[gain.figure] for one in pair]
            both = tables[0].index.intersection(tables[1].index)
            before, after = (float(table.loc[both].mean()) for table in tables)
            found.append(Level(gain, before, after, gain.shown))
    return sorted(found, key=lambda level: (level.gain.test_set, figure(level.gain.figure).of_text))


def headline(gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str]) -> list[tuple[bool, str]]:
    """A sentence for each figure: the last stage against the one before it.

    Models with a format were asked for the Chain of Empathy and are the run's stages, in order; without any, all are.

    Args:
        gains: of `eval.compare.compare` of these results.
        results: in order.
        figures: those of them that were compared are told.

    Returns:
        whether the difference is clear, and the sentence.
    """
    return _sentences(gains, results, figures, _last(results))


def further(gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str]) -> list[tuple[bool, str]]:
    """As `headline`: the earlier stages against those before them, and the last one against each other model."""
    own = stages(results)
    others = list(dict.fromkeys(result.model for result in results if result.model not in own))
    pairs = [*((later, earlier) for earlier, later in pairwise(own[:-1])), *((own[-1], other) for other in others)]
    return _sentences(gains, results, figures, pairs)


def other_prompts(results: Sequence[Result]) -> list[str]:
    """Models that were asked by another prompt than those whose reply is the Chain of Empathy's; none without both."""
    plain = [one.model for one in results if "format" not in one.figures or ASKED in one.note]
    return list(dict.fromkeys(plain)) if len(plain) < len(results) else []


def _last(results: Sequence[Result]) -> list[tuple[str, str]]:
    own = stages(results)
    return [(own[-1], own[-2])] if len(own) > 1 else []


def _sentences(
    gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> list[tuple[bool, str]]:
    several = len({result.test_set for result in results}) > 1
    return [
        (is_clear(gain), f"{gain.test_set}: {_sentence(gain)}" if several else _sentence(gain))
        for gain in _of_pairs(gains, results, figures, pairs)
    ]


def _of_pairs(
    gains: Sequence[Gain], results: Sequence[Result], figures: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> Iterator[Gain]:
    """The gains of these pairs, the later model first, test set by test set and figure by figure."""
    known = {(gain.test_set, gain.figure, gain.ours, gain.theirs): gain for gain in [*gains, *map(_turned, gains)]}
    for name in dict.fromkeys(result.test_set for result in results):
        for key in figures:
            for pair in pairs:
                if gain := known.get((name, key, *pair)):
                    yield gain


def difference(interval: Interval) -> str:
    """A gain with its interval, as in the Markdown report, with minus signs."""
    return signed(interval).replace("-", "−")


def _turned(gain: Gain) -> Gain:
    """The same comparison seen from the other model."""

    def turn(interval: Interval | None) -> Interval | None:
        return None if interval is None else interval.moved(-1.0)

    turned = turn(gain.gain)
    assert turned is not None
    return replace(
        gain,
        ours=gain.theirs,
        theirs=gain.ours,
        gain=turned,
        visible=(gain.visible[1], gain.visible[0]),
        shown=turn(gain.shown),
        at_equal_length=turn(gain.at_equal_length),
    )


def _sentence(gain: Gain) -> str:
    """What a gain says; of a figure of the text with the share of replies that it is a figure of."""
    name = figure(gain.figure).label
    if gain.shown is None or gain.p_shown is None:
        if figure(gain.figure).of_text:
            return f"{name}: nothing to compare, {_shares(gain)}."
        return f"{name}: {_verdict(gain, gain.gain, gain.p)}."
    if min(gain.visible) == 1.0:
        return f"{name}: {_verdict(gain, gain.shown, gain.p_shown)}."
    return (
        f"{name}: {_shares(gain)}; over the {gain.questions} questions to which both do, and those replies alone, "
        f"{_verdict(gain, gain.shown, gain.p_shown)}{_reversed(gain)}."
    )


def _reversed(gain: Gain) -> str:
    """The reading over all replies, where it differs in its sign, or in whether it is clear."""
    if gain.shown is None or gain.p_shown is None:
        return ""
    if gain.gain.mean * gain.shown.mean > 0 and (gain.p.value < CLEAR) == (gain.p_shown.value < CLEAR):
        return ""
    told = f"{difference(gain.gain)}, {gain.p.named()}"
    return f"; over all replies, of which the others count 0, the difference is {told}"


def _shares(gain: Gain) -> str:
    ours, theirs = gain.visible
    return f"{gain.ours} shows a reader something in {ours:.0%} of its replies, {gain.theirs} in {theirs:.0%}"


def _verdict(gain: Gain, found: Interval, p: PValue) -> str:
    told = f"{difference(found)}, {p.named()}"
    level = ""
    if gain.at_equal_length:
        level = f"; adjusted for length {difference(gain.at_equal_length)}"
    elif figure(gain.figure).of_text and gain.questions >= LEAST:
        level = "; lengths too different to adjust"
    if p.value >= CLEAR:
        return f"no clear difference between {gain.ours} and {gain.theirs}: {told}{level}"
    return f"{gain.ours} is {'higher' if found.mean > 0 else 'lower'} than {gain.theirs}: {told}{level}"


def is_clear(gain: Gain) -> bool:
    """Whether the sentence about it tells a difference."""
    if figure(gain.figure).of_text:
        return gain.p_shown is not None and gain.p_shown.value < CLEAR
    return gain.p.value < CLEAR
