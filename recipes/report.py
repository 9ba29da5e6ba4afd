"""The run as one HTML file, to be opened from disk: results, curves, distributions, topics, replies, manifests.

    make report
    make report PROFILE=qwen3_8b ARGS="replies=400 samples=1 headline=[reward,second]"

Reads what the other stages left and trains or generates nothing. Afterwards ``outputs/<profile>/report/`` holds
``report.html``, which needs neither a network nor another file. It holds posts, replies and manifests: it may be passed
on to whom the corpus may be passed on.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.files import write_text
from eval.html.inputs import RANKED_BY, read_run
from eval.html.report import ReportConfig, render
from recipes.grpo import METRICS_FILE
from recipes.reward_model import HELDOUT
from recipes.stage import MANIFEST, Common, StageError, load_profile, main, require_stage, run_stage

REPORT = "report.html"
# In grpo's folder, where trainer.rollout_data_dir says so: the format's curve is drawn from it.
ROLLOUTS = "rollouts"
REQUIRED = ("data", "reward-model", "eval")


def run(arguments: list[str]) -> None:
    """Write the report, or say that nothing has changed."""
    common, config = load_profile(arguments, "report", ReportConfig)
    folder = run_stage(
        "report", common, asdict(config), _inputs(common.root), lambda folder: _write(common, config, folder)
    )
    print(f"report: {folder / REPORT}")


def _inputs(root: Path) -> dict[str, Path]:
    """Every stage that is there; a ranking's own file, since people's and a judge's work may still go on."""
    inputs = {name: require_stage(root / name, name) for name in REQUIRED}
    if (root / "grpo" / METRICS_FILE).is_file():
        inputs["grpo"] = require_stage(root / "grpo", "grpo")
    for by in RANKED_BY:
        if (file := root / by / f"{by}.json").is_file():
            inputs[by] = file
    manifests = {f"{path.parent.name} manifest": path for path in root.glob(f"*/{MANIFEST}")}
    return inputs | {name: path for name, path in sorted(manifests.items()) if path.parent.name != "report"}


def _write(common: Common, config: ReportConfig, folder: Path) -> dict[str, Any]:
    try:
        page = render(read_run(common.root, METRICS_FILE, ROLLOUTS, HELDOUT), common.profile, config, common.seed)
    except (FileNotFoundError, ValueError) as error:
        raise StageError(f"report: {error}") from error
    write_text(folder / REPORT, page)
    return {"bytes": len(page.encode())}


if __name__ == "__main__":
    main(run)
