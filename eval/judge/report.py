"""A judgement as Markdown and JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

from common.files import write_json, write_text
from common.markdown import escape, table
from common.records.rankings import CRITERIA, KEYS, OVERALL
from eval.judge.analysis import Counts, Judgement
from eval.judge.config import JudgeConfig
from eval.judge.inter_rater import InterRater
from eval.statistics import Interval

NOTE: Final = (
    "A model's opinion of models: it can share their faults, prefer its own kin and be talked into things. It stands "
    "beside people's ranking and does not replace it. Nothing here says that a reply helps anybody, no figure claims "
    "clinical validity, and posts at risk are for people to answer, whatever the judge prefers."
)
_LENGTH_NOTE: Final = (
    "At equal length: the intercept of the outcome (1, 0, −1) regressed on the difference of the logarithms of the "
    "lengths, as a win rate. It is linear and can leave 0 to 100 %; – where one model's replies are nearly "
    "always the longer ones, so that nothing can be said of equal lengths."
)


def why_nothing(counts: Counts, config: JudgeConfig) -> str:
    """Why no pair was judged, and which key to change; "" where one was, or where calls are still missing."""
    if counts.judged or counts.missing:
        return ""
    if not counts.comparisons:
        return "Nothing was judged: in every pair one of the replies shows nothing. Look at what `make eval` says."
    again = "Run again with force=true, which keeps these answers by a number."
    if 2 * counts.cut > counts.malformed_answers:
        limit = f"{config.length_key}={2 * config.longest_answer}" if config.longest_answer else config.length_key
        return (
            f"Nothing was judged: {counts.cut} of {counts.malformed_answers} answers were cut before their verdict. "
            f"Raise {limit} or more, or have the judge not reason (request.chat_template_kwargs.enable_thinking=false "
            f"for Qwen3). {again}"
        )
    if 2 * counts.refused > counts.malformed_answers:
        return (
            f"Nothing was judged: {counts.refused} of {counts.malformed_answers} answers are refusals, told by "
            f"`problem` in verdicts.jsonl. Choose another judge_model or base_url. {again}"
        )
    return (
        f"Nothing was judged: no pair has a well-formed verdict both ways round; {counts.malformed_answers} answers "
        "are malformed, as `problem` in verdicts.jsonl tells. Say structured=json_schema where the server takes it, or "
        f"choose another judge_model. {again}"
    )


def write_judgement(
    folder: Path, judgement: Judgement, people: InterRater | None, stopped_by: str, test_set: str, trouble: str = ""
) -> str:
    """``judge.json`` and ``judge.md``; gives the latter's text.

    Args:
        folder: where to.
        judgement: of `eval.judge.analysis.analyse`.
        people: their agreement with the judge, None where there is none to tell.
        stopped_by: the ceiling that was reached, "" for none.
        test_set: its name in tables.
        trouble: of `why_nothing`.
    """
    told = {
        "test_set": test_set,
        "stopped_by": stopped_by,
        "trouble": trouble,
        "inter_rater": asdict(people) if people else None,
    }
    write_json(folder / "judge.json", asdict(judgement) | told)
    text = "\n".join(
        [
            f"# LLM judge: {escape(judgement.judge)}, {escape(test_set)}",
            "",
            *([f"**{escape(trouble)}**", ""] if trouble else []),
            *_counts(judgement.counts, stopped_by),
            *_models(judgement),
            *_pairs(judgement),
            *_bias(judgement),
            *_inter_rater(people),
            NOTE,
        ]
    )
    write_text(folder / "judge.md", text + "\n")
    return text


def _counts(counts: Counts, stopped_by: str) -> list[str]:
    ceiling = f"**Not complete:** stopped at {stopped_by}. The same command with a higher ceiling goes on."
    return [
        f"{counts.whole} of {counts.questions} questions are judged whole ({counts.at_risk} of the {counts.questions} "
        f"posts have signs of acute risk). Of {counts.comparisons} comparisons, each pair both ways round, "
        f"{counts.malformed} have no well-formed verdict and {counts.missing} are missing; both are left out, never "
        f"counted as a win or a tie. {counts.answers} answers, {counts.malformed_answers} of them malformed "
        f"({counts.cut} cut at the limit of tokens, {counts.refused} refused); "
        f"{counts.usage.tokens_in:,} tokens in, {counts.usage.tokens_out:,} out, cost {counts.cost:.4g}.",
        "",
        *([_settled(counts), ""] if counts.settled else []),
        *([_estimated(counts), ""] if counts.estimated else []),
        *([ceiling, ""] if stopped_by else []),
    ]


def _settled(counts: Counts) -> str:
    return (
        f"In {counts.settled} further pairs a reply shows nothing, and no judge was asked: the other reply wins, two "
        "such replies tie. Win rates and ranks count these pairs; what is said of the judge and of equal lengths does "
        "not."
    )


def _estimated(counts: Counts) -> str:
    return (
        f"The server did not tell the tokens of {counts.estimated} answers; the most that they can have used is "
        "counted."
    )


def _models(judgement: Judgement) -> list[str]:
    if not judgement.models:
        return ["No question is judged whole, so there is no ranking.", ""]
    figures = sorted(judgement.models.items(), key=lambda item: item[1].mean_rank.mean)
    return [
        "## Models",
        "",
        *table(
            ["Model", "Win rate", "Win@1", "Win@2", "Mean rank", "Characters", "Show nothing"],
            (
                [
                    escape(model),
                    _percent(own.wins[OVERALL]),
                    own.win_1.text(".1f"),
                    own.win_2.text(".1f"),
                    own.mean_rank.text(".2f"),
                    f"{own.chars:.0f}",
                    str(own.empty),
                ]
                for model, own in figures
            ),
        ),
        "",
        "Win rate: share of pairs won, ties half; Win@1 and Win@2 in per cent. 95 % intervals over "
        f"questions. In {judgement.counts.drawn} of {judgement.counts.whole} questions a draw, seeded by the question, "
        "decided between models that nothing else told apart.",
        "",
        "Win rate by criterion:",
        "",
        *table(
            ["Model", *(key.capitalize() for key in CRITERIA)],
            ([escape(model), *(_percent(own.wins[key]) for key in CRITERIA)] for model, own in figures),
        ),
        "",
    ]


def _pairs(judgement: Judgement) -> list[str]:
    if not judgement.pairs:
        return []
    return [
        "## Pairs",
        "",
        *table(
            ["Pair", "Won", "Tied", "Lost", "Win rate", "where both show something", "at equal length"],
            (
                [
                    f"{escape(pair.ours)} : {escape(pair.theirs)}",
                    str(pair.won),
                    str(pair.tied),
                    str(pair.lost),
                    _percent(pair.win_rate),
                    _percent(pair.win_rate_shown),
                    _percent(pair.at_equal_length),
                ]
                for pair in judgement.pairs
            ),
        ),
        "",
        _LENGTH_NOTE,
        "",
    ]


def _bias(judgement: Judgement) -> list[str]:
    bias = judgement.bias
    rows = [
        ["Verdicts for the reply shown first (50 % without a bias)", _percent(bias.first_preferred)],
        ["Pairs whose winner changes with the order", _percent(bias.turned)],
        ["Verdicts for the longer reply (50 % without a bias or a reason)", _percent(bias.longer_preferred)],
        *([f"Same verdict both ways round: {key}", _percent(bias.same[key])] for key in KEYS),
    ]
    return ["## The judge", "", *table(["What sways it", "Share"], rows), ""]


def _inter_rater(people: InterRater | None) -> list[str]:
    if people is None:
        return []
    kappa = f"{people.kappa:.3f}" if people.kappa is not None else "undefined (both prefer one side always)"
    kappa_line = (
        f"- Cohen's kappa of {people.pairs} pairwise preferences: {kappa}; 0 by chance. They agree in "
        f"{people.agreed:.1%}, {people.by_chance:.1%} would by chance."
        if people.agreed is not None and people.by_chance is not None
        else ""
    )
    left_out = f"- {people.left_out} questions ranked by people are not judged whole and left out."
    return [
        "## Inter-rater agreement with people",
        "",
        f"- Kendall's tau of the orders, {people.raters} raters, {people.questions} questions: "
        f"{people.tau.text('.3f')}; 0 by chance, 1 for the same order.",
        *filter(None, [kappa_line]),
        f"- {people.tied} preferences of people are on pairs that the judge ties; kappa leaves them out.",
        *([left_out] if people.left_out else []),
        "",
    ]


def _percent(interval: Interval | None) -> str:
    return interval.text(".1%") if interval else "–"
