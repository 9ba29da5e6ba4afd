"""A study from its settings to its report: which questions, who ranks them, what was ranked so far, what it showed.

``study.json`` records the seed and what the study is made of, so that a begun one is never changed.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from common.code import REPO
from common.errors import StageError
from common.files import write_json, write_text
from common.label_studio import ACCOUNTS, LabelStudio, Server, accounts
from common.manifest import require_stage
from common.pages import number
from common.pages import page as page_of
from common.records.rankings import RANKINGS_FILE, Ranking, write_rankings
from common.settings import check, limited, one_of
from eval.human.analysis import LEAST_RATERS, Study
from eval.human.page import instructions, page
from eval.human.study import Left, pages, rankings_of
from eval.intervals import LEAST
from eval.plots import plot_mean_ranks
from eval.replies import BlindItem, items_of_run, named_set

_TITLE: Final = "回复排序"
_STUDY: Final = "study.json"


@dataclass(frozen=True)
class StudyConfig:
    """The study, and where it is served.

    Attributes:
        action: start, export or analyse.
        annotators: names, of small letters and digits; more may be added while the study goes on.
        questions: drawn at random from the test set, at most; the paper has 100.
        test_set: of which test set; "" for the first, the corpus's own.
        attention_every: an attention check for each so many questions; 0 for none.
        checks_passed: raters who passed a smaller share of their checks are left out of the analysis, 0 for nobody.
        file: rankings to analyse, with action=analyse.
        environment: Label Studio's virtual environment.
        host: the address to listen on; another than loopback lets other machines in, in plain HTTP.
        port: of HTTP.
        start_limit_s: how long Label Studio may take to start, in seconds.
    """

    action: str = field(default="start", metadata=one_of(("start", "export", "analyse")))
    annotators: list[str] = field(default_factory=list)
    questions: int = limited(100, 1)
    test_set: str = ""
    attention_every: int = limited(10, 0)
    checks_passed: float = limited(0.0, 0, 1)
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
        check(self)
        # Label Studio takes e-mail addresses for the same whatever their case.
        if wrong := [name for name in self.annotators if not re.fullmatch("[a-z0-9]+", name)]:
            raise ValueError(f"annotators: {wrong[0]!r}, expected names of small letters and digits")
        if len(set(self.annotators)) < len(self.annotators):
            raise ValueError(f"annotators={self.annotators}: expected each once")


@dataclass(frozen=True)
class Conducted:
    """A study that has begun.

    Attributes:
        folder: of the stage.
        names: its annotators, those of earlier starts first.
        items: the questions.
        checks: further questions, for attention checks.
        seed: of every draw.
        server: its Label Studio.
    """

    folder: Path
    names: list[str]
    items: Sequence[BlindItem]
    checks: Sequence[BlindItem]
    seed: int
    server: Server

    @classmethod
    def open(cls, root: Path, seed: int, config: StudyConfig) -> "Conducted":
        """Begin a study, or go on with the one that has begun.

        Args:
            root: the folder that holds a folder a stage.
            seed: of every draw; an export takes the study's own, and its questions and checks.
            config: the settings.

        Raises:
            StageError: a stage, annotators or a reply are missing, no study has begun, or one with other settings.
            FileError: replies or test set are not as their stages write them.
        """
        folder = root / "ranking"
        file = folder / _STUDY
        begun: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if config.action == "export":
            if not begun:
                raise StageError(
                    f'{file} is missing: no study has begun. Run make ranking ARGS="annotators=[anna,ben]".'
                )
            seed = begun["seed"]
            config = replace(config, questions=begun["questions"], attention_every=begun["attention_every"])
        items, checks = _drawn(root, seed, config)
        texts = json.dumps([asdict(item) for item in (*items, *checks)], ensure_ascii=False, sort_keys=True)
        content = {
            "seed": seed,
            "questions": config.questions,
            "attention_every": config.attention_every,
            "models": sorted(items[0].replies),
            "replies": hashlib.sha256(texts.encode()).hexdigest(),
        }
        if begun and (changed := sorted(key for key in content if content[key] != begun.get(key))):
            raise StageError(
                f"{file}: a study with other {', '.join(changed)} has begun. Finish it with its settings, or move "
                f"{folder}."
            )
        names = list(dict.fromkeys([*begun.get("annotators", []), *config.annotators]))
        if not names:
            raise StageError('ranking: no annotators. Write ARGS="annotators=[anna,ben]".')
        write_json(file, {**content, "annotators": names})
        served = config.host, config.port, config.start_limit_s
        server = Server(folder / "label-studio", Path(config.environment), *served)
        return cls(folder, names, items, checks, seed, server)

    def serve(self) -> None:
        """Serve every annotator's pages until the process is interrupted.

        Raises:
            StageError: Label Studio does not start, refuses a request or has ended.
        """
        self.server.check_port()
        known = accounts(self.folder / ACCOUNTS, self.names)
        self.server.add_accounts([known[name] for name in self.names])
        with self.server.running() as process:
            for name in self.names:
                own = pages(name, self.items, self.checks, self.seed)
                studio = LabelStudio(self.server.url, known[name].token)
                project = studio.project(_TITLE, page(len(own)), instructions())
                studio.add_tasks(project, [one.task() for one in own])
                print(
                    f"ranking: {name} ranks {len(own)} pages at {self.server.url}/projects/{project}/data?labeling=1",
                    flush=True,
                )
            print(
                f"ranking: e-mail addresses and passwords are in {self.folder / ACCOUNTS}. Ctrl-C ends the server.",
                flush=True,
            )
            self.server.until_ended(process)

    def export(self) -> tuple[list[Ranking], dict[str, Left]]:
        """What was ranked so far, written to ``rankings.jsonl``, and the pages that annotators left.

        Raises:
            StageError: Label Studio does not start or refuses a request, or its export is not this study's.
        """
        known = accounts(self.folder / ACCOUNTS, [])
        found: list[Ranking] = []
        left: dict[str, Left] = {}
        with self.server.running():
            for name in filter(known.__contains__, self.names):
                own = pages(name, self.items, self.checks, self.seed)
                tasks = LabelStudio(self.server.url, known[name].token).tasks_with_annotations(_TITLE)
                rankings, left[name] = rankings_of(name, own, tasks)
                found += rankings
                print(f"ranking: {name} has ranked {len(rankings)} of {len(own)} pages")
        write_rankings(self.folder / RANKINGS_FILE, found)
        return found, left


def _drawn(root: Path, seed: int, config: StudyConfig) -> tuple[list[BlindItem], list[BlindItem]]:
    """Items and checks: the checks' questions are others, so that no question is seen twice."""
    generated = require_stage(root / "generate", "generate")
    test = require_stage(root / "data", "data") / "test.parquet"
    # More than all questions is not drawn; without checks none is added.
    every = config.attention_every or config.questions + 1
    count = config.questions + config.questions // every
    drawn = items_of_run(generated, test, count, seed, named_set(test, config.test_set))
    wanted = min(config.questions, len(drawn)) // every
    # None where much may be at stake.
    checks = [item for item in drawn[::-1] if not item.at_risk][:wanted]
    return [item for item in drawn if item not in checks][: min(config.questions, len(drawn) - wanted)], checks


def analysed_folder(root: Path, file: Path) -> Path:
    """Where the analysis of a file of rankings is written: a study that has begun in this run keeps its own results.

    Args:
        root: the folder that holds a folder a stage.
        file: of the rankings.
    """
    folder = root / "ranking"
    return folder / "analysed" / file.stem if (folder / _STUDY).exists() else folder


def write_study(folder: Path, study: Study, test_set: str, left: dict[str, Left]) -> None:
    """``ranking.json``, ``ranking.md``, which is printed too, and ``ranking.png``.

    Args:
        folder: where they are written, see `analysed_folder`.
        study: of `eval.human.analysis.analyse`.
        test_set: its name in tables.
        left: pages that annotators did not put in order, by annotator.
    """
    unranked = {name: asdict(own) for name, own in left.items()}
    write_json(folder / "ranking.json", {"test_set": test_set, **asdict(study), "left": unranked})
    ranked = [
        (name, rater.questions, number(rater.tau), f"{rater.passed} of {rater.checks}", *_left(left, name))
        for name, rater in study.raters.items()
    ]
    others = [name for name in left if name not in study.raters.keys() | study.left_out.keys()]
    text = page_of(
        "eval.human",
        "ranking",
        test_set=test_set,
        study=study,
        models=[
            (name, f.win_1.text(".1f"), f.win_2.text(".1f"), f.mean_rank.text(".3f"), f.strength.text(".3f"))
            for name, f in study.models.items()
        ],
        raters=[*ranked, *((name, 0, "–", "–", *_left(left, name)) for name in others)],
        least_raters=LEAST_RATERS,
        least=LEAST,
    )
    write_text(folder / "ranking.md", text)
    plot_mean_ranks({name: own.mean_rank for name, own in study.models.items()}, folder / "ranking.png")
    print(text)
    print(f"ranking: {folder / 'ranking.json'}, ranking.md, ranking.png")


def _left(left: dict[str, Left], name: str) -> list[str]:
    return [str(len(left[name].skipped)), str(len(left[name].unmoved))] if name in left else ["–", "–"]
