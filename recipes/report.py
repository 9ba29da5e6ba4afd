"""The run as one HTML file, to be opened from disk: results, curves, distributions, topics, replies, manifests.

    make report
    make report PROFILE=qwen3_8b ARGS="replies=400 samples=1 headline=[reward,heldout_answer]"

Reads what the other stages left and trains or generates nothing. Afterwards ``outputs/<profile>/report/`` holds
``report.html``, which needs neither a network nor another file. It holds posts, replies and manifests: it may be passed
on to whom the corpus may be passed on.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.errors import StageError
from common.files import write_text
from common.stage import Plan
from eval.html.inputs import files_of_run, read_run
from eval.html.report import ReportConfig, render
from recipes.profile import Common, section
from recipes.stage import Recipe, main

REPORT = "report.html"


def plan(common: Common, config: ReportConfig) -> Plan:
    """Show what the other stages left."""

    def work(folder: Path, _: bool) -> dict[str, Any]:
        try:
            page = render(read_run(common.root), common.profile, config, common.seed)
        except (FileNotFoundError, ValueError) as error:
            raise StageError(f"report: {error}") from error
        write_text(folder / REPORT, page)
        return {"bytes": len(page.encode())}

    return Plan(asdict(config), files_of_run(common.root), work, shows=(REPORT,))


RECIPE = Recipe("report", section("report", ReportConfig), plan)

if __name__ == "__main__":
    main(RECIPE)
