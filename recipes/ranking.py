"""People rank the replies of `make generate`, blind, in Label Studio on this machine's loopback.

    make label-studio-env                                              # once: Label Studio in an environment of its own
    make ranking ARGS="annotators=[anna,ben] questions=100"            # serves until Ctrl-C; the same command goes on
    make ranking ARGS="action=export"                                  # what was ranked so far → ranking.md
    make ranking ARGS="action=analyse file=rankings.jsonl"             # rankings from elsewhere

Annotators log in with accounts of their own (``ranking/accounts.json``, readable by its owner only). Label Studio saves
a draft of an unfinished page by itself. ``ranking/study.json`` records the seed and what the study is made of.
"""

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

from common.files import write_text
from data_prep.config import DataConfig
from eval.human.analysis import analyse
from eval.human.label_studio import LabelStudio, LabelStudioError
from eval.human.page import instructions, page
from eval.human.report import RANKING_FILE, write_study
from eval.human.server import ACCOUNTS, Server, accounts
from eval.human.study import Left, Page, pages, rankings_of
from eval.rankings import BlindItem, Ranking, RankingError, blind_items, read_rankings, write_rankings
from eval.replies import RepliesError, ReplyKind, read_references, read_replies
from recipes.generate import MODELS_FILE
from recipes.stage import REPO, Common, StageError, load_profile, main, require_stage

ACTIONS = ("start", "export", "analyse")
STUDY, RANKINGS, TITLE = "study.json", "rankings.jsonl", "回复排序"


@dataclass(frozen=True)
class StudyConfig:
    """The study, and where it is served.

    Attributes:
        action: start, export or analyse.
        annotators: names, of small letters and digits; more may be added while the study goes on.
        questions: drawn at random from the test set, at most; the paper has 100.
        attention_every: an attention check for each so many questions; 0 for none.
        checks_passed: raters who passed a smaller share of their checks are left out of the analysis, 0 for nobody.
        file: rankings to analyse, with action=analyse.
        environment: Label Studio's virtual environment.
        host: the address to listen on; another than loopback lets other machines in, in plain HTTP.
        port: of HTTP.
        start_limit_s: how long Label Studio may take to start, in seconds.
    """

    action: str = "start"
    annotators: list[str] = field(default_factory=list)
    questions: int = 100
    attention_every: int = 10
    checks_passed: float = 0.0
    file: str = ""
    environment: str = str(REPO / ".venv-label-studio")
    host: str = "127.0.0.1"
    port: int = 8080
    start_limit_s: float = 300.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one that can't be; the message names the key.
        """
        if self.action not in ACTIONS:
            raise ValueError(f"action={self.action}: expected one of {', '.join(ACTIONS)}")
        if self.questions < 1 or self.attention_every < 0:
            raise ValueError(
                f"questions={self.questions} attention_every={self.attention_every}: expected 1, 0 or more"
            )
        if not 0 <= self.checks_passed <= 1:
            raise ValueError(f"checks_passed={self.checks_passed}: expected 0 to 1")
        # Label Studio takes e-mail addresses for the same whatever their case.
        if wrong := [name for name in self.annotators if not re.fullmatch("[a-z0-9]+", name)]:
            raise ValueError(f"annotators: {wrong[0]!r}, expected names of small letters and digits")
        if len(set(self.annotators)) < len(self.annotators):
            raise ValueError(f"annotators={self.annotators}: expected each once")


def run(arguments: list[str]) -> None:
    """Serve the study, or read and analyse what came of it."""
    common, config = load_profile(arguments, "ranking", StudyConfig)
    folder = common.root / "ranking"
    try:
        if config.action == "analyse":
            if not config.file:
                raise StageError('action=analyse: which file? Write ARGS="action=analyse file=rankings.jsonl".')
            _report(folder, read_rankings(Path(config.file)), common, config, {})
            return
        if config.action == "export":
            common, config = _as_begun(folder, common, config)
        items, checks = _items(common, config)
        study = _study(folder, items, checks, common, config)
        server = Server(
            folder / "label-studio", Path(config.environment), config.host, config.port, config.start_limit_s
        )
        if config.action == "start":
            _serve(server, folder, study, common, items, checks)
        else:
            _export(server, folder, study, common, config, items, checks)
    except (RankingError, RepliesError, LabelStudioError) as error:
        raise StageError(f"ranking: {error}") from error


def _items(common: Common, config: StudyConfig) -> tuple[list[BlindItem], list[BlindItem]]:
    source = require_stage(common.root / "generate", "generate")
    test = read_references(require_stage(common.root / "data", "data") / "test.parquet")
    models = json.loads((source / MODELS_FILE).read_text(encoding="utf-8"))
    replies = {
        model["name"]: (read_replies(source / model["file"]), cast(ReplyKind, model["kind"])) for model in models
    }
    # The checks' questions are others, so that no question is seen twice, and none where much may be at stake.
    questions = min(config.questions, len(test))
    wanted = questions // config.attention_every if config.attention_every else 0
    drawn = blind_items(replies, test, questions + wanted, common.seed)
    if wanted and len(drawn) < questions + wanted:
        questions = len(drawn) - wanted
    checks = [item for item in drawn[::-1] if not item.at_risk][:wanted]
    return [item for item in drawn if item not in checks][:questions], checks


def _as_begun(folder: Path, common: Common, config: StudyConfig) -> tuple[Common, StudyConfig]:
    """The settings that decide what the pages hold, as the study began with them."""
    file = folder / STUDY
    if not file.is_file():
        raise StageError(f'{file} is missing: no study has begun. Run make ranking ARGS="annotators=[anna,ben]".')
    begun = json.loads(file.read_text(encoding="utf-8"))
    common = replace(common, seed=begun["seed"])
    return common, replace(config, questions=begun["questions"], attention_every=begun["attention_every"])


def _study(
    folder: Path, items: Sequence[BlindItem], checks: Sequence[BlindItem], common: Common, config: StudyConfig
) -> list[str]:
    """The study's annotators, those of earlier starts first, once it is clear that it is the same study."""
    texts = json.dumps([asdict(item) for item in (*items, *checks)], ensure_ascii=False, sort_keys=True)
    content = {
        "seed": common.seed,
        "questions": config.questions,
        "attention_every": config.attention_every,
        "models": sorted(items[0].replies),
        "replies": hashlib.sha256(texts.encode()).hexdigest(),
    }
    file = folder / STUDY
    before = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"annotators": []}
    if file.is_file() and (changed := sorted(key for key in content if content[key] != before.get(key))):
        raise StageError(
            f"{file}: a study with other {', '.join(changed)} has begun. Finish it with its settings, or move {folder}."
        )
    names = list(dict.fromkeys([*before["annotators"], *config.annotators]))
    if not names:
        raise StageError('ranking: no annotators. Write ARGS="annotators=[anna,ben]".')
    folder.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps({**content, "annotators": names}, ensure_ascii=False, indent=1) + "\n")
    return names


def _serve(
    server: Server,
    folder: Path,
    names: Sequence[str],
    common: Common,
    items: Sequence[BlindItem],
    checks: Sequence[BlindItem],
) -> None:
    known = accounts(folder / ACCOUNTS, names)
    server.add_accounts([known[name] for name in names])
    with server.running() as process:
        for name in names:
            own = pages(name, items, checks, common.seed)
            with LabelStudio(server.url, known[name].token) as studio:
                project = studio.project(TITLE, page(), instructions())
                studio.add_tasks(project, [one.task() for one in own])
            print(
                f"ranking: {name} ranks {len(own)} pages at {server.url}/projects/{project}/data?labeling=1", flush=True
            )
        print(
            f"ranking: e-mail addresses and passwords are in {folder / ACCOUNTS}. Ctrl-C ends the server.", flush=True
        )
        while process is not None and process.poll() is None:
            time.sleep(1)
    if process is not None:
        raise StageError(f"Label Studio has ended, see {server.log}. The same command goes on.")


def _export(
    server: Server,
    folder: Path,
    names: Sequence[str],
    common: Common,
    config: StudyConfig,
    items: Sequence[BlindItem],
    checks: Sequence[BlindItem],
) -> None:
    known = accounts(folder / ACCOUNTS, [])
    found: list[Ranking] = []
    left: dict[str, Left] = {}
    with server.running():
        for name in names:
            if name not in known:
                continue
            own: list[Page] = pages(name, items, checks, common.seed)
            with LabelStudio(server.url, known[name].token) as studio:
                rankings, left[name] = rankings_of(name, own, studio.tasks_with_annotations(TITLE))
            found += rankings
            print(f"ranking: {name} has ranked {len(rankings)} of {len(own)} pages")
    write_rankings(folder / RANKINGS, found)
    _report(folder, found, common, config, left)


def _report(
    folder: Path, rankings: Sequence[Ranking], common: Common, config: StudyConfig, left: dict[str, Left]
) -> None:
    _, data = load_profile([f"profile={common.profile}"], "data", DataConfig)
    folder.mkdir(parents=True, exist_ok=True)
    study = analyse(rankings, common.seed, config.checks_passed)
    write_study(folder, study, data.data_source, left)
    print((folder / "ranking.md").read_text(encoding="utf-8"))
    print(f"ranking: {folder / RANKING_FILE}, ranking.md, ranking.png")


if __name__ == "__main__":
    main(run)
