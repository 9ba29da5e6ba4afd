"""An LLM ranks the models' replies: every pair both ways round, on the paper's four criteria.

    make judge ARGS="judge_model=Qwen/Qwen3-32B base_url=http://127.0.0.1:8000/v1"
    make judge ARGS="judge_model=… base_url=https://…/v1 api_key_env=JUDGE_KEY max_cost=20 price_in=2.5 price_out=10"

Any OpenAI-compatible server will do. What `make generate` made is put before the judge without model names. Every
answer is written at once to ``outputs/<profile>/judge/verdicts.jsonl``: a run that was killed, met an outage or reached
its ceiling goes on by the same command, without ``force=true``. Afterwards the folder holds ``judge.md``,
``judge.json`` and ``rankings.jsonl``; where people have ranked the same replies, the agreement with them too.
"""

import json
import logging
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eval.judge.analysis import analyse
from eval.judge.budget import Ceiling, Usage
from eval.judge.client import LENGTH_KEYS, STRUCTURED, JudgeError, JudgeServer
from eval.judge.inter_rater import agreement, check_same
from eval.judge.judging import JudgePlan, judge
from eval.judge.pairs import judge_rankings, pair_table
from eval.judge.prompt import JudgePrompt
from eval.judge.report import write_judgement
from eval.judge.verdicts import comparisons, judge_request, open_verdicts
from eval.rankings import BlindItem, Ranking, RankingError, blind_items, read_rankings, write_rankings
from eval.replies import KINDS, RepliesError, ReplyKind, read_references, read_replies
from recipes.stage import Common, StageError, load_profile, main, require_stage, run_stage

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OURS = ("model", "messages", "response_format", "stream", "n")


@dataclass(frozen=True)
class JudgeConfig:
    """Who judges, how much of it, and within what limits.

    Attributes:
        judge_model: the judge's name on the server (``model`` is every stage's base model).
        base_url: of the OpenAI-compatible server.
        api_key_env: the environment variable that holds the key; "" for a server that asks for none.
        questions: how many are judged at most, drawn by the seed.
        concurrency: calls under way at once.
        attempts: how often a verdict is asked for until it is well-formed.
        structured: "json_schema" to hold the model to the verdict's schema, "none" to ask for JSON in the text, "auto"
            for the first where the server takes it.
        request: further keys of each request, max_tokens or max_completion_tokens among them; null leaves one out.
        timeout_s: longest time of a call, in seconds.
        retries: how often a call that met an outage is made again.
        backoff_s: pause before the first of them, doubled with each, in seconds.
        max_tokens_total: ceiling of tokens in and out, all runs of this judgement together.
        max_cost: ceiling of cost, in the currency of the prices.
        price_in: of a million tokens of prompts.
        price_out: of a million tokens of answers.
    """

    judge_model: str = ""
    base_url: str = "http://127.0.0.1:8000/v1"
    api_key_env: str = ""
    questions: int = 100
    concurrency: int = 8
    attempts: int = 3
    structured: str = "auto"
    request: dict[str, Any] = field(default_factory=lambda: {"temperature": 0, "max_tokens": 512})
    timeout_s: float = 120.0
    retries: int = 6
    backoff_s: float = 1.0
    max_tokens_total: int | None = None
    max_cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one out of its range; the message names the key.
        """
        for key in ("questions", "concurrency", "attempts"):
            if getattr(self, key) < 1:
                raise ValueError(f"{key}={getattr(self, key)}: expected 1 or more")
        for key in ("retries", "backoff_s", "price_in", "price_out"):
            if getattr(self, key) < 0:
                raise ValueError(f"{key}={getattr(self, key)}: expected 0 or more")
        for key in ("timeout_s", "max_tokens_total", "max_cost"):
            if getattr(self, key) is not None and getattr(self, key) <= 0:
                raise ValueError(f"{key}={getattr(self, key)}: expected more than 0")
        if self.structured not in STRUCTURED:
            raise ValueError(f"structured={self.structured}: expected {', '.join(STRUCTURED)}")
        if self.max_cost is not None and not self.price_in + self.price_out:
            raise ValueError("max_cost without prices: give price_in and price_out of a million tokens")
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"base_url={self.base_url}: expected e.g. http://127.0.0.1:8000/v1")
        if address.username or address.password or address.query:
            raise ValueError("base_url holds a secret, which would be written down: put it into api_key_env's variable")
        if own := [key for key in _OURS if key in self.request]:
            raise ValueError(f"request.{own[0]}: it is not for the configuration to say")
        lengths = [self.request[key] for key in LENGTH_KEYS if self.request.get(key) is not None]
        if len(lengths) != 1 or not isinstance(lengths[0], int) or lengths[0] < 1:
            raise ValueError(f"request: expected one of {' and '.join(LENGTH_KEYS)} as a number, found {self.request}")


def run(arguments: list[str]) -> None:
    """Judge, or say that nothing has changed."""
    common, config = load_profile(arguments, "judge", JudgeConfig)
    if not config.judge_model:
        raise StageError("judge_model is missing. Name the judge as its server calls it: judge_model=…")
    data = require_stage(common.root / "data", "data")
    generated = require_stage(common.root / "generate", "generate")
    human = common.root / "ranking" / "rankings.jsonl"
    inputs = {"data": data, "generate": generated}
    if human.is_file():
        inputs["human"] = human

    def work(folder: Path) -> dict[str, Any]:
        try:
            return _judge(common, config, data / "test.parquet", generated, human, folder)
        except (JudgeError, RankingError, RepliesError) as error:
            raise StageError(f"judge: {error}") from error

    folder = run_stage("judge", common, asdict(config), inputs, work)
    print(f"judge: {folder / 'judge.md'}, {folder / 'rankings.jsonl'}")


def _judge(
    common: Common, config: JudgeConfig, test: Path, generated: Path, human: Path, folder: Path
) -> dict[str, Any]:
    replies = {model: (read_replies(path), kind) for model, path, kind in _models(generated)}
    items = blind_items(replies, read_references(test), config.questions, common.seed)
    people = read_rankings(human) if human.is_file() else []
    check_same(people, items)
    # One line a call would drown the progress.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    server, prompt = _server(config), JudgePrompt.read()
    ceiling = Ceiling(config.max_tokens_total, config.max_cost, config.price_in, config.price_out)
    request = judge_request(items, server, prompt, common.seed)
    had = open_verdicts(folder, request, common.force)
    _announce(config, items, len(had))
    plan = JudgePlan(common.seed, config.attempts, config.concurrency)
    stopped_by = judge(items, server, prompt, ceiling, plan, folder, had)
    return _conclude(common, config, items, request, people, ceiling, stopped_by, folder)


def _conclude(
    common: Common,
    config: JudgeConfig,
    items: list[BlindItem],
    request: dict[str, Any],
    people: list[Ranking],
    ceiling: Ceiling,
    stopped_by: str,
    folder: Path,
) -> dict[str, Any]:
    answers = open_verdicts(folder, request, afresh=False)
    pairs = pair_table(answers, items)
    rankings, drawn = judge_rankings(pairs, sorted(items[0].replies), config.judge_model, common.seed)
    judgement = analyse(
        config.judge_model,
        answers,
        items,
        pairs,
        rankings,
        drawn=drawn,
        attempts=config.attempts,
        cost=ceiling.cost(sum((answer.usage for answer in answers), Usage())),
        seed=common.seed,
    )
    with_people = agreement(rankings, pairs, people, common.seed)
    write_rankings(folder / "rankings.jsonl", rankings)
    print(write_judgement(folder, judgement, with_people, stopped_by))
    if stopped_by:
        raise StageError(
            f"judge: stopped at {stopped_by}, {judgement.counts.missing} of {judgement.counts.comparisons} comparisons "
            f"are missing. What there is: {folder / 'judge.md'}. Run the same command with a higher ceiling to go on"
            f"{', and without force=true' if common.force else ''}."
        )
    return {
        "mean_rank": {model: figures.mean_rank.mean for model, figures in judgement.models.items()},
        "malformed": judgement.counts.malformed,
        "tokens": judgement.counts.usage.tokens,
        "cost": judgement.counts.cost,
    }


def _models(generated: Path) -> list[tuple[str, Path, ReplyKind]]:
    """Name, file of replies and their kind, of ``models.json``."""
    path = generated / "models.json"
    try:
        entries = [(entry["name"], generated / entry["file"], entry["kind"]) for entry in json.loads(path.read_text())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageError(
            f"{path}: {error!r}, expected a list with name, file and kind. Run `make generate`."
        ) from error
    names = [name for name, _, _ in entries]
    if len(set(names)) < len(names):
        raise StageError(f"{path}: {names}, expected each model once")
    for name, _, kind in entries:
        if kind not in KINDS:
            raise StageError(f"{path}: {name} is of kind {kind!r}, expected {', '.join(KINDS)}")
    return entries


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


def _announce(config: JudgeConfig, items: list[BlindItem], had: int) -> None:
    host = urlsplit(config.base_url).hostname
    print(
        f"judge: {len(comparisons(items))} comparisons of {len(items)} questions, {had} answers are there already.",
        flush=True,
    )
    if host not in LOOPBACK:
        print(f"judge: help-seekers' posts and the replies are sent to {host}.", flush=True)


if __name__ == "__main__":
    main(run)
