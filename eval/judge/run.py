"""One judgement from its settings to ``judge.md``: what is asked, of whom, within what limits, and what came of it."""

import logging
import os
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from common.errors import StageError
from common.records.rankings import RANKINGS_FILE, Ranking, write_rankings
from eval.blind import BlindItem
from eval.judge.analysis import analyse
from eval.judge.budget import Ceiling, Usage
from eval.judge.client import JudgeServer
from eval.judge.config import JudgeConfig
from eval.judge.inter_rater import check_same, inter_rater
from eval.judge.judging import judge
from eval.judge.pairs import judge_rankings, pair_table
from eval.judge.prompt import JudgePrompt
from eval.judge.report import write_judgement
from eval.judge.verdicts import comparisons, judge_request, open_verdicts

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def run_judge(
    config: JudgeConfig, items: list[BlindItem], people: list[Ranking], seed: int, afresh: bool, folder: Path
) -> dict[str, Any]:
    """Judge what is not judged yet, and write what all verdicts say.

    Args:
        config: the settings.
        items: what is put before the judge.
        people: their rankings of the same replies, [] for none.
        seed: of draws, requests and resampling.
        afresh: remove the verdicts that are there.
        folder: of the stage.

    Returns:
        the stage's result.

    Raises:
        JudgeError: people ranked something else, the verdicts there are of another request, or an outage.
        StageError: no key, or a ceiling is reached; the message says how to go on.
    """
    check_same(people, items)
    # One line a call would drown the progress.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    server, prompt = _server(config), JudgePrompt.read()
    ceiling = Ceiling(config.max_tokens_total, config.max_cost, config.price_in, config.price_out)
    request = judge_request(items, server, prompt, seed)
    had = open_verdicts(folder, request, afresh)
    print(
        f"judge: {len(comparisons(items))} comparisons of {len(items)} questions, {len(had)} answers are there already."
    )
    if (host := urlsplit(config.base_url).hostname) not in LOOPBACK:
        print(f"judge: help-seekers' posts and the replies are sent to {host}.", flush=True)
    stopped_by = judge(items, server, prompt, ceiling, config, seed, folder, had)
    answers = open_verdicts(folder, request, afresh=False)
    pairs = pair_table(answers, items)
    rankings, drawn = judge_rankings(pairs, sorted(items[0].replies), config.judge_model, seed)
    judgement = analyse(
        config.judge_model,
        answers,
        items,
        pairs,
        rankings,
        drawn=drawn,
        attempts=config.attempts,
        cost=ceiling.cost(Usage.of(answers)),
        seed=seed,
    )
    write_rankings(folder / RANKINGS_FILE, rankings)
    print(write_judgement(folder, judgement, inter_rater(rankings, pairs, people, seed), stopped_by))
    if stopped_by:
        raise StageError(
            f"judge: stopped at {stopped_by}, {judgement.counts.missing} of {judgement.counts.comparisons} comparisons "
            f"are missing. What there is: {folder / 'judge.md'}. Run the same command with a higher ceiling to go on"
            f"{', and without force=true' if afresh else ''}."
        )
    return {
        "mean_rank": {model: figures.mean_rank.mean for model, figures in judgement.models.items()},
        "malformed": judgement.counts.malformed,
        "tokens": judgement.counts.usage.tokens,
        "cost": judgement.counts.cost,
    }


def _server(config: JudgeConfig) -> JudgeServer:
    key = os.environ.get(config.api_key_env, "") if config.api_key_env else "none"
    if not key:
        raise StageError(f"judge: the environment has no {config.api_key_env}, which api_key_env names. Set it.")
    return JudgeServer(
        config.judge_model,
        config.base_url,
        key,
        config.request,
        config.structured,
        config.timeout_s,
        config.retries,
        config.backoff_s,
    )
