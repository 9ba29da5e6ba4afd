"""What a GRPO step takes on this machine with random weights of a published shape, beside what `make plan` reckons.

    python -m benchmarks.card shape=Qwen/Qwen3-0.6B card=rtx4090 out=outputs/card-0.6b
    python -m benchmarks.card shape=Qwen/Qwen3-8B card=h200 out=outputs/card-8b actor_rollout_ref.model.lora_rank=32
    python -m benchmarks.card shape=recipes/tiny_base/model profile=tiny out=outputs/card-tiny    # on a CPU

Memory and time only: every reply of such a model is noise and as long as it may be, which is the most that a step can
take, and nothing is learned. Policy and encoder are written at random (`benchmarks.random_model`), the stages `data`
and `reward-model` run on the sample, and verl takes some steps of GRPO from the random policy. Nothing is validated or
saved. What is no key of `CardConfig` is an override of GRPO's. The tables (`benchmarks.card_report`) come to the
terminal and into ``card.md`` in the folder.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from omegaconf import MISSING, DictConfig, OmegaConf

from benchmarks.card_report import report, setup
from benchmarks.held_memory import HeldMemory, card_names
from common.code import REPO
from common.decisions import read_decisions
from common.errors import StageError
from common.files import whole_lines, write_json, write_text
from common.records import METRICS_FILE
from common.settings import build, check, limited
from common.watchdog import Limits, Progress, run_watched
from recipes.grpo_config import compose_config, quoted
from recipes.grpo_machine import check_machine
from recipes.planning.setup import find_card
from recipes.planning.shapes import ENCODERS, SHAPES, published
from recipes.profile import encoders

# What the folder is of, so that no other run's is taken or removed.
_MARK: Final = "card.json"
# What the sample has in any profile. A plain prompt, for then the whole reply goes to the reward model.
_DATA: Final = ("test_size=24", "val_size=8", "prompt=plain")
# A reward model of some steps.
_REWARD_MODEL: Final = ("epochs=1", "epoch_share=0.05", "dev_triplets=100")


@dataclass(frozen=True)
class CardConfig:
    """What is measured.

    Attributes:
        shape: of the policy: a name in ``recipes/planning/shapes.yaml``, or a folder with a configuration.
        out: the folder; what a run of this command with the same shape, profile and seed left there is kept.
        profile: of ``verl_configs/``.
        card: in ``recipes/planning/cards.yaml``, for the plan beside it; "": none.
        steps: of which the first, which warms up, counts in no time.
        seed: of weights and run.
    """

    shape: str = MISSING
    out: str = MISSING
    profile: str = "one_gpu"
    card: str = ""
    steps: int = limited(5, 2)
    seed: int = 42

    def __post_init__(self) -> None:
        check(self)
        if published(self.shape, SHAPES) is None and not Path(self.shape, "config.json").is_file():
            raise ValueError(f"shape={self.shape}: not in {SHAPES.name}, and no folder with config.json")


def claim(options: CardConfig, out: Path) -> None:
    """Make the folder this command's.

    Raises:
        StageError: it is another run's, or of another model.
    """
    own = {key: value for key, value in asdict(options).items() if key in ("shape", "profile", "seed")}
    if out.is_dir() and any(out.iterdir()):
        found = (
            json.loads((out / _MARK).read_text(encoding="utf-8"))
            if (out / _MARK).is_file()
            else "no run of benchmarks.card"
        )
        if found != own:
            raise StageError(f"out={options.out} is of {found}, this one is of {own}. Name another folder.")
    write_json(out / _MARK, own)


def prepare(options: CardConfig, out: Path) -> None:
    """The random models, the data and the reward model in the folder, each once and in a process of its own."""
    _write(options.shape, out / "base", options.seed)
    common = [f"profile={options.profile}", f"out={out}", f"model={out / 'base'}", f"seed={options.seed}"]
    _run("recipes.data", [*common, *_DATA])
    encoder, own = encoders(options.profile)[0], list(_REWARD_MODEL)
    if published(encoder, ENCODERS) is not None:
        _write(encoder, out / "encoder", options.seed)
        own.append(f"encoder={out / 'encoder'}")
    _run("recipes.reward_model", [*common, *own])


def _write(shape: str, folder: Path, seed: int) -> None:
    # What this process took of the card would stay taken.
    _run("benchmarks.random_model", [f"shape={shape}", f"out={folder}", f"seed={seed}"])


def _run(module: str, arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], cwd=REPO, check=True)


def compose(options: CardConfig, out: Path, overrides: Sequence[str]) -> DictConfig:
    """verl's configuration: the profile's, from the random policy, with nothing validated, judged or saved."""
    ours = [
        f"recipe.init_model={quoted(out / 'base')}",
        f"trainer.total_training_steps={options.steps}",
        *("trainer.save_freq=-1", "trainer.test_freq=-1", "trainer.val_before_train=false"),
        *("recipe.heldout=null", "recipe.keep_best=false", "trainer.logger=[console,file]"),
        # Among 8,000 likely tokens the end comes by chance.
        "actor_rollout_ref.rollout.ignore_eos=true",
    ]
    return compose_config(options.profile, out, options.seed, read_decisions(out), [*ours, *overrides])


def run(options: CardConfig, config: DictConfig, out: Path) -> HeldMemory:
    """The steps, and what was held meanwhile.

    Raises:
        StageError: the run failed; the message has its log's last lines.
    """
    folder = out / "grpo"
    shutil.rmtree(folder, ignore_errors=True)
    resolved = folder / "config.yaml"
    write_text(resolved, OmegaConf.to_yaml(config, resolve=True))

    def progress() -> Progress:
        return Progress(len(whole_lines(folder / METRICS_FILE)), options.steps)

    with HeldMemory(on_cards=config.trainer.device != "cpu") as held:
        run_watched(
            "card",
            [sys.executable, "-m", "recipes.grpo_train", str(resolved)],
            folder / "train.log",
            Limits(config.recipe.limits.total_s, config.recipe.limits.idle_s),
            env={**config.recipe.env, "VERL_FILE_LOGGER_PATH": str(folder / METRICS_FILE)},
            progress=progress,
        )
    return held


def main(arguments: Sequence[str]) -> None:
    """Prepare, run, tell."""
    names = {field.name for field in fields(CardConfig)}
    own = [each for each in arguments if each.partition("=")[0] in names]
    overrides = [each for each in arguments if each not in own]
    options = build(CardConfig, OmegaConf.from_dotlist(own), "benchmarks.card")
    card, out = find_card(options.card) if options.card else None, Path(options.out).resolve()
    claim(options, out)
    prepare(options, out)
    config = compose(options, out, overrides)
    check_machine(config)
    if card:
        # What cannot be planned is told before the steps are paid for.
        setup(options.shape, options.profile, config, card, [])
    where = "a CPU" if config.trainer.device == "cpu" else "; ".join(card_names())
    held = run(options, config, out)
    steps = [record["data"] for record in whole_lines(out / "grpo" / METRICS_FILE)]
    planned = setup(options.shape, options.profile, config, card, steps) if card else None
    told = report(f"{options.shape}, profile {options.profile} {' '.join(overrides)}, {where}", steps, held, planned)
    write_text(out / "card.md", told + "\n")
    print(told)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (StageError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
