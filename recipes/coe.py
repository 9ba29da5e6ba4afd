"""CoE chains for the training questions of any corpus, by a teacher model (section 3.2: DeepSeek-R1, 200 questions).

    export DEEPSEEK_API_KEY=…
    make coe ARGS="chains=200 max_cost=5 price_in=0.55 price_out=2.19"
    make coe ARGS="base_url=http://127.0.0.1:8000/v1 api_key_env= teacher=Qwen/Qwen3-32B stratified=true"

Questions come from the training split of `make data`; post and response are cleaned and masked. Each answer is kept in
``teacher.jsonl`` as it comes; a run that was killed, met an outage or reached a ceiling goes on by the same command.
``chains.jsonl`` holds what passed the checks, in the sample corpus's format; `make review` has people look at it.
"""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.chat_server import Usage, read_key
from common.errors import StageError
from common.files import FileError, set_aside, write_text
from common.loopback import remote_host
from common.manifest import require_stage
from common.pages import page
from common.stage import Plan
from data_prep.coe.ask import TeacherError, Written, write_chains
from data_prep.coe.chains import CHAINS, write_set
from data_prep.coe.checks import ChainChecks
from data_prep.coe.config import CoEConfig
from data_prep.coe.drawing import Drawn, drawn, training_questions
from data_prep.coe.flagged import FLAGGED, flagged
from data_prep.coe.prompt import TeacherPrompt
from data_prep.coe.records import FILE, Answer
from recipes.profile import Common, section
from recipes.stage import Recipe, main

# As many posts and responses as say which words are rare.
_COMPARED = 4000


def plan(common: Common, config: CoEConfig) -> Plan:
    """Ask for chains of questions that `make data` put into the training split."""
    data = require_stage(common.root / "data", "data")
    questions = data / "questions.parquet"

    def check(folder: Path) -> None:
        read_key(config.api_key_env, f"{config.teacher} on {config.base_url}")
        _order(questions, config, common)

    def work(folder: Path, _: bool) -> dict[str, Any]:
        return _write(questions, config, common, folder)

    return Plan(asdict(config), {"questions": questions}, work, shows=("coe.md", CHAINS), check=check)


def _order(questions: Path, config: CoEConfig, common: Common) -> list[Drawn]:
    try:
        return drawn(training_questions(questions), config, common.seed, flagged(common.root / FLAGGED))
    except (FileError, ValueError) as error:
        raise StageError(f"coe: {error}") from error


def _write(questions: Path, config: CoEConfig, common: Common, folder: Path) -> dict[str, Any]:
    order = _order(questions, config, common)
    compared = order[:_COMPARED]
    checks = ChainChecks([item.question.post for item in compared], [item.response for item in compared], config.checks)
    if common.force and (kept := set_aside(folder / FILE)):
        print(f"coe: what the teacher wrote before is kept as {kept}.")
    if host := remote_host(config.base_url):
        print(f"coe: help-seekers' posts and counsellors' responses are sent to {host}.", flush=True)
    prompt = TeacherPrompt.read()
    try:
        written = write_chains(order, config, prompt, checks, read_key(config.api_key_env, config.teacher), folder)
    except (FileError, TeacherError) as error:
        raise StageError(f"coe: {error}") from error
    write_set(folder / CHAINS, written.accepted, config.teacher, prompt)
    usage = Usage.of(written.answers)
    write_text(folder / "coe.md", _report(written, config, prompt, len(order), usage))
    if written.stopped_by:
        raise StageError(
            f"coe: stopped at {written.stopped_by} with {len(written.accepted)} of {config.chains} chains, before a "
            f"call that could pass it (its prompt and {config.length_key}={config.longest_answer}). Run the same "
            "command with a higher ceiling to go on, without force=true."
        )
    if not written.accepted:
        raise StageError(f"coe: no chain passed the checks. The reasons are in {folder / 'coe.md'}.")
    if len(written.accepted) < config.chains:
        print(f"coe: {len(written.accepted)} of {config.chains} chains: no question is left.")
    return {
        "chains": len(written.accepted),
        "set_aside": len(written.set_aside),
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "cost": config.cost(usage),
    }


def _report(written: Written, config: CoEConfig, prompt: TeacherPrompt, able: int, usage: Usage) -> str:
    answers = [answer for answer in written.answers if answer.text or answer.faults]
    reasons = Counter(check for answer in answers for check in {fault.check for fault in answer.faults})
    return page(
        "data_prep.coe",
        "coe",
        teacher=config.teacher,
        version=prompt.version,
        wanted=config.chains,
        able=able,
        accepted=len(written.accepted),
        answers=len(answers),
        reasons=reasons.most_common(),
        aside=[
            (item.question.id, len([x for x in answers if x.question == item.question.id]), _why(answer))
            for item, answer in written.set_aside
        ],
        usage=usage,
        cost=config.cost(usage),
        estimated=sum(answer.estimated for answer in answers),
        first=sum(answer.attempt == 1 for _, answer in written.accepted),
    )


def _why(answer: Answer) -> str:
    return "; ".join(" ".join(filter(None, (one.check, one.layer, one.detail))) for one in answer.faults)


RECIPE = Recipe("coe", section("coe", CoEConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
