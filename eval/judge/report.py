"""A judgement as Markdown and JSON."""

from dataclasses import asdict
from pathlib import Path

from common.files import write_json, write_text
from common.pages import Markdown, page
from common.records.rankings import CRITERIA, KEYS, OVERALL
from eval.judge.analysis import Counts, Judgement
from eval.judge.config import JudgeConfig
from eval.judge.inter_rater import InterRater
from eval.statistics import Interval


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
    figures = sorted(judgement.models.items(), key=lambda item: item[1].mean_rank.mean)
    text = page(
        "eval.judge",
        "judge",
        judgement=judgement,
        counts=judgement.counts,
        test_set=test_set,
        stopped_by=Markdown(f"`{stopped_by}`") if stopped_by else "",
        trouble=Markdown(trouble),
        models=[
            (
                model,
                _percent(own.wins[OVERALL]),
                own.win_1.text(".1f"),
                own.win_2.text(".1f"),
                own.mean_rank.text(".2f"),
                f"{own.chars:.0f}",
                own.empty,
            )
            for model, own in figures
        ],
        criteria=[key.capitalize() for key in CRITERIA],
        wins=[(model, *(_percent(own.wins[key]) for key in CRITERIA)) for model, own in figures],
        pairs=[
            (
                f"{pair.ours} : {pair.theirs}",
                pair.won,
                pair.tied,
                pair.lost,
                _percent(pair.win_rate),
                _percent(pair.win_rate_shown),
                _percent(pair.at_equal_length),
            )
            for pair in judgement.pairs
        ],
        sways=[
            (what, _percent(share))
            for what, share in (
                ("Verdicts for the reply shown first (50 % without a bias)", judgement.bias.first_preferred),
                ("Pairs whose winner changes with the order", judgement.bias.turned),
                ("Verdicts for the longer reply (50 % without a bias or a reason)", judgement.bias.longer_preferred),
                *((f"Same verdict both ways round: {key}", judgement.bias.same[key]) for key in KEYS),
            )
        ],
        people=people,
    )
    write_text(folder / "judge.md", text)
    return text


def _percent(interval: Interval | None) -> str:
    return interval.text(".1%") if interval else "–"
