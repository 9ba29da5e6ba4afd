"""People rank the replies of `make generate`, blind, in Label Studio on this machine's loopback.

    make label-studio-env                                              # once: Label Studio in an environment of its own
    make ranking ARGS="annotators=[anna,ben] questions=100"            # serves until Ctrl-C; the same command goes on
    make ranking ARGS="action=export"                                  # what was ranked so far → ranking.md
    make ranking ARGS="action=analyse file=rankings.jsonl"             # rankings from elsewhere

Where a study has begun, it keeps its results: action=analyse writes to ``ranking/analysed/<name of the file>``.
Annotators log in with accounts of their own (``ranking/accounts.json``, readable by its owner only). Label Studio saves
a draft of an unfinished page by itself. ``ranking/study.json`` records the seed and what the study is made of.
"""

from collections.abc import Sequence
from pathlib import Path

from common.errors import StageError
from common.files import FileError
from common.manifest import require_stage
from common.records.rankings import read_rankings
from eval.human.analysis import analyse
from eval.human.conduct import Conducted, StudyConfig, analysed_folder, write_study
from eval.human.study import Left
from eval.replies import named_set
from recipes.ledger_entries import note_ranked
from recipes.profile import load_profile
from recipes.stage import main


def run(arguments: Sequence[str]) -> None:
    """Serve the study, or read and analyse what came of it.

    Raises:
        StageError: what is missing or wrong, in a line.
    """
    common, config = load_profile(arguments, "ranking", StudyConfig)
    try:
        if config.action == "analyse":
            if not config.file:
                raise StageError('action=analyse: which file? Write ARGS="action=analyse file=rankings.jsonl".')
            file = Path(config.file)
            folder, seed, left = analysed_folder(common.root, file), common.seed, dict[str, Left]()
            rankings = read_rankings(file)
        else:
            study = Conducted.open(common.root, common.seed, config)
            if config.action == "start":
                return study.serve()
            folder, seed, (rankings, left) = study.folder, study.seed, study.export()
        shown = analyse(rankings, seed, config.checks_passed)
        test = require_stage(common.root / "data", "data") / "test.parquet"
        write_study(folder, shown, named_set(test, config.test_set), left)
        if config.action == "export":
            note_ranked(common.root, list(shown.models))
    except FileError as error:
        raise StageError(f"ranking: {error}") from error


if __name__ == "__main__":
    main(run)
