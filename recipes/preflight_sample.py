"""`make preflight ARGS=sample=64`: what the model that GRPO begins with writes, and whether its groups can teach.

It replies to prompts of GRPO as in a rollout, by vLLM as `make generate` runs it. The project's own reward judges the
replies, without Ray. ``outputs/<profile>/preflight/`` keeps them: a second call with the same model and settings
generates nothing.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

import pandas as pd
from omegaconf import DictConfig, OmegaConf

from common.decisions import DataDecisions
from common.files import replacing
from common.manifest import stage_problem
from common.records.replies import Reply, unfinished_replies
from eval.generation.run import GenerateConfig, ModelEntry, generate
from recipes.grpo_config import uses_own_reward
from recipes.grpo_metrics import tied_share
from recipes.preflight_checks import Line
from recipes.profile import Common, section
from reward_fns.coe_format import format_reward
from reward_fns.components import components
from reward_fns.options import RewardOptions
from reward_fns.reward_model import RewardModel

FOLDER: Final = "preflight"
_NAME: Final = "policy"
# Our guesses, not measured: below which share of valid outputs, above which share of tied groups, of cut outputs and of
# the highest reward a line warns, and above which share of cut outputs it says stop.
_FEW_VALID: Final = 0.1
_MANY_TIED: Final = 0.5
_SOME_CUT: Final = 0.05
_MOST_CUT: Final = 0.5
_NEAR_THE_TOP: Final = 0.95


def sample_lines(common: Common, config: DictConfig, decided: DataDecisions, count: int) -> Iterator[Line]:
    """Have replies generated and judged, and say what they show.

    Args:
        common: of the run.
        config: verl's, with our section ``recipe``.
        decided: by `make data`.
        count: prompts, each of which gets as many outputs as in a rollout.

    Raises:
        StageError: vLLM failed; the message holds the end of its log.
    """
    model, rewarded = config.actor_rollout_ref.model.path, uses_own_reward(config)
    needed = {model: "sft", **({config.recipe.reward_worker.model: "reward-model"} if rewarded else {})}
    missing = [
        Line("stop", f"sample: {problem}", f"make {target}")
        for path, target in needed.items()
        if Path(path) == (common.root / target).resolve() and (problem := stage_problem(Path(path)))
    ]
    yield from missing
    if missing:
        return
    folder = common.root / FOLDER
    prompts = _draw(Path(config.data.train_files), count, common.seed)
    replies = _generate(common, config, decided, prompts, folder)
    judged: list[dict[str, float]] | None = None
    if rewarded:
        given: Any = OmegaConf.to_container(config.reward.custom_reward_function.reward_kwargs, resolve=True)
        worker = config.recipe.reward_worker
        judged = judge(
            replies,
            dict(zip(prompts["id"], prompts["question"], strict=True)),
            RewardModel(Path(worker.model), worker.device),
            RewardOptions.of(given),
        )
    else:
        path = config.reward.custom_reward_function.path
        yield Line("warning", f"rewards: not looked at, {path} is your own", "a run of a few steps shows reward/tied")
    yield from outcome_lines(
        replies, judged, config.data.max_response_length, config.recipe.signal.most_tied, decided.kind == "coe"
    )


def _draw(prompts: Path, count: int, seed: int) -> pd.DataFrame:
    """Columns id, question, prompt of `count` rows of GRPO's prompts, or of all where there are fewer."""
    rows = pd.read_parquet(prompts, columns=["prompt", "extra_info"])
    drawn = sorted(random.Random(seed).sample(range(len(rows)), min(count, len(rows))))
    asked = rows.iloc[drawn]
    return pd.DataFrame(
        {
            "id": [extra["question_id"] for extra in asked["extra_info"]],
            "question": [extra["question"] for extra in asked["extra_info"]],
            "prompt": asked["prompt"].tolist(),
        }
    )


def _generate(
    common: Common, config: DictConfig, decided: DataDecisions, prompts: pd.DataFrame, folder: Path
) -> list[Reply]:
    """The replies, in the order of the prompts."""
    rollout = config.actor_rollout_ref.rollout
    file = folder / "prompts.parquet"
    with replacing(file) as temporary:
        prompts.to_parquet(temporary)
    _, settings = section("generate", GenerateConfig)([f"profile={common.profile}"])
    settings = replace(
        settings,
        samples=rollout.n,
        temperature=rollout.temperature,
        max_tokens=config.data.max_response_length,
        max_model_len=rollout.max_model_len,
    )
    entry = ModelEntry(
        config.actor_rollout_ref.model.path,
        decided.kind,
        decided.system_prompt,
        template_kwargs=decided.template_kwargs,
        sampling={"top_p": rollout.top_p, "top_k": rollout.top_k},
        engine={"max_model_len": rollout.max_model_len},
    )
    made = generate(_NAME, entry, file, settings, common.seed, folder, keep=False, anew=common.force)
    return unfinished_replies(folder / made.file)


def judge(
    replies: Sequence[Reply], questions: Mapping[str, str], model: RewardModel, options: RewardOptions
) -> list[dict[str, float]]:
    """The components of each reply's reward, as `reward_fns.coe_reward.compute_score` gives them to verl.

    Args:
        replies: to be judged.
        questions: posts by id.
        model: encoder and T.
        options: of the run's reward.
    """
    answers = [options.answer_of(reply.text) for reply in replies]
    asked = [number for number, answer in enumerate(answers) if answer is not None]
    found = model.judge([questions[replies[number].question_id] for number in asked], [str(answers[n]) for n in asked])
    judgements = dict(zip(asked, found, strict=True))
    return [
        components(questions[reply.question_id], reply.text, judgements.get(number), options)
        for number, reply in enumerate(replies)
    ]


def outcome_lines(
    replies: Sequence[Reply], judged: Sequence[Mapping[str, float]] | None, limit: int, most_tied: float, chains: bool
) -> Iterator[Line]:
    """What the replies show.

    Args:
        replies: as many to each prompt, one or more.
        judged: components of each one's reward; None where it is not known.
        limit: longest response, in tokens.
        most_tied: share of tied groups above which a run counts as one without signal.
        chains: the prompts ask for the format.
    """
    if chains:
        rate = fmean(format_reward(reply.text) for reply in replies)
        yield Line(
            "stop" if rate == 0 else "warning" if rate < _FEW_VALID else "ok",
            f"format: {rate:.1%} of {len(replies)} outputs are valid",
            "more of SFT, such as make sft ARGS=num_train_epochs=…" if rate < _FEW_VALID else "",
        )
    if judged is not None:
        yield from _reward_lines(replies, [row["score"] for row in judged], most_tied, 2.0 if chains else 1.0)
    lengths = pd.Series([reply.tokens for reply in replies])
    half, most = lengths.quantile([0.5, 0.99])
    cut = float((lengths >= limit).mean())
    yield Line(
        "stop" if cut > _MOST_CUT else "warning" if cut > _SOME_CUT else "ok",
        f"responses: {half:.0f} tokens in the middle, {most:.0f} at 99 %, {limit} at most, {cut:.1%} cut there",
        "max_response_tokens is raised by `make data`; a model that never ends needs more of SFT"
        if cut > _SOME_CUT
        else "",
    )


def _reward_lines(replies: Sequence[Reply], scores: Sequence[float], most_tied: float, top: float) -> Iterator[Line]:
    groups: dict[str, list[float]] = defaultdict(list)
    for reply, score in zip(replies, scores, strict=True):
        groups[reply.question_id].append(score)
    mean = fmean(scores)
    full = mean > _NEAR_THE_TOP * top
    yield Line(
        "warning" if full else "ok",
        f"reward: {mean:.2f} on average, {top:g} at most",
        "little is left to gain; reward_kwargs.mode=dense or a higher T ask for more" if full else "",
    )
    sizes = {len(group) for group in groups.values()}
    if sizes == {1}:
        yield Line("stop", "groups: of one output each, which have no advantage", "actor_rollout_ref.rollout.n=4")
        return
    tied = tied_share(groups)
    spread = fmean(stdev(group) for group in groups.values())
    yield Line(
        "stop" if tied > most_tied else "warning" if tied > _MANY_TIED else "ok",
        f"groups: {tied:.1%} of {len(groups)} tie and teach nothing; standard deviation within a group {spread:.2f}",
        "more outputs a prompt (actor_rollout_ref.rollout.n), reward_kwargs.mode=dense, or more of SFT"
        if tied > _MANY_TIED
        else "",
    )
