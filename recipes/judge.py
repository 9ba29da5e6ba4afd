"""An LLM ranks the models' replies: every pair both ways round, on the paper's four criteria.

    make judge ARGS="judge_model=Qwen/Qwen3-32B base_url=http://127.0.0.1:8000/v1"
    make judge ARGS="judge_model=… base_url=https://…/v1 api_key_env=JUDGE_KEY max_cost=20 price_in=2.5 price_out=10"

Any OpenAI-compatible server will do. What `make generate` made is put before the judge without model names. Every
answer is written at once to ``outputs/<profile>/judge/verdicts.jsonl``: a run that was killed, met an outage or reached
its ceiling goes on by the same command, without ``force=true``. Afterwards the folder holds ``judge.md``,
``judge.json`` and ``rankings.jsonl``; where people have ranked the same replies, the inter-rater agreement with them
too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from common.errors import StageError
from common.files import FileError
from common.hashing import Input
from common.manifest import require_stage
from common.records.rankings import RANKINGS_FILE, read_rankings
from common.records.replies import reply_files
from common.stage import Plan
from eval.judge.client import JudgeError
from eval.judge.config import JudgeConfig
from eval.judge.run import Task, run_judge
from eval.replies import BlindItem, items_of_run, named_set
from recipes.profile import Common, section
from recipes.stage import Recipe, main


def plan(common: Common, config: JudgeConfig) -> Plan:
    """Judge what `make generate` left."""
    if not config.judge_model:
        raise StageError("judge_model is missing. Name the judge as its server calls it: judge_model=…")
    test = require_stage(common.root / "data", "data") / "test.parquet"
    generated = require_stage(common.root / "generate", "generate")
    human = common.root / "ranking" / RANKINGS_FILE
    more = {"human": human} if human.is_file() else {}
    inputs: dict[str, Input] = {"test": test, "replies": reply_files(generated), **more}

    def prepare(folder: Path) -> Task:
        chosen = replace(config, test_set=named_set(test, config.test_set))

        def draw(count: int) -> list[BlindItem]:
            return items_of_run(generated, test, count, common.seed, chosen.test_set)

        people = read_rankings(human) if human.is_file() else []
        return Task.prepare(chosen, draw, people, common.seed, folder, common.force)

    def check(folder: Path) -> None:
        with _told():
            prepare(folder)

    # Without a look at `resume`: the verdicts there are gone on with where they are of this request.
    def work(folder: Path, _: bool) -> dict[str, Any]:
        with _told():
            return run_judge(prepare(folder), common.force, folder)

    return Plan(asdict(config), inputs, work, shows=("judge.md", RANKINGS_FILE), check=check)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (FileError, JudgeError) as error:
        raise StageError(f"judge: {error}") from error


RECIPE = Recipe("judge", section("judge", JudgeConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
