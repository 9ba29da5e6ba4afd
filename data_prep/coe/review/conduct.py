"""A review from its settings to its set: who reviews which chain, the pages, the spreadsheets, what came back.

``review.json`` records the seed and who reviews which chain. A chain that somebody was given stays theirs, whatever is
added later; a page that was imported is never imported again, and nothing that a person wrote is written over.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.errors import StageError
from common.files import write_json, write_json_lines
from common.label_studio import ACCOUNTS, LabelStudio, Server, accounts
from data_prep.coe.chains import line_of
from data_prep.coe.review.config import ReviewConfig
from data_prep.coe.review.items import Item, owners, read_items
from data_prep.coe.review.items import trial as trial_items
from data_prep.coe.review.page import instructions, page
from data_prep.coe.review.records import FILE, Review, read_reviews, reviews_of, write_reviews
from data_prep.coe.review.sheet import read_sheet, write_sheet

TITLE: Final = "四层思考审核"
_BEGUN: Final = "review.json"
_SHEETS: Final = "sheets"
# The chains that were given to reviewers, as `make coe` wrote them.
_GIVEN: Final = "given.jsonl"


@dataclass(frozen=True)
class Conducted:
    """A review that has begun.

    Attributes:
        folder: of the stage.
        items: the chains, in the order of the set.
        owners: who reviews each, by its id.
        trial: the chains that come first, whose verdict is known.
        names: the reviewers.
        server: its Label Studio.
        editable: whether layers are changed and chains accepted, or only rated.
    """

    folder: Path
    items: Sequence[Item]
    owners: Mapping[str, Sequence[str]]
    trial: Sequence[Item]
    names: Sequence[str]
    server: Server
    editable: bool

    @classmethod
    def open(cls, folder: Path, items: Sequence[Item], config: ReviewConfig, seed: int) -> "Conducted":
        """Begin a review, or go on with the one that has begun; chains that are new are given to today's reviewers.

        Raises:
            StageError: no reviewers, or an export of a review that has not begun.
        """
        file = folder / _BEGUN
        begun: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        if not begun and config.action in ("export", "read"):
            raise StageError(f'{file} is missing: no review has begun. Run make review ARGS="reviewers=[anna,ben]".')
        names = list(dict.fromkeys([*begun.get("reviewers", []), *config.reviewers]))
        if not names:
            raise StageError('review: no reviewers. Write ARGS="reviewers=[anna,ben]".')
        seed, trial = begun.get("seed", seed), begun.get("trial", config.trial and config.of == "coe")
        given: dict[str, list[str]] = dict(begun.get("owners", {}))
        # As they were given out: a later `make coe` may leave one out, and nobody's work on it is lost.
        known = {item.id: item for item in read_items(folder / _GIVEN)} if (folder / _GIVEN).is_file() else {}
        items = [*known.values(), *(item for item in items if item.id not in known)]
        for item in items:
            given.setdefault(item.id, owners(item.id, names, config.overlap, seed))
        write_json(file, {"seed": seed, "trial": trial, "reviewers": names, "owners": given})
        lines = (line_of(item.question, item.response, item.layers, item.provenance) for item in items)
        write_json_lines(folder / _GIVEN, lines)
        served = config.host, config.port, config.start_limit_s
        server = Server(folder / "label-studio", Path(config.environment), *served)
        return cls(folder, items, given, trial_items() if trial else [], names, server, config.of == "coe")

    def own(self, name: str) -> list[Item]:
        """A reviewer's chains, the trial's first."""
        return [*self.trial, *(item for item in self.items if name in self.owners[item.id])]

    def serve(self) -> None:
        """Serve every reviewer's pages until the process is interrupted.

        Raises:
            StageError: Label Studio does not start, refuses a request or has ended.
        """
        self.server.check_port()
        known = accounts(self.folder / ACCOUNTS, self.names)
        self.server.add_accounts([known[name] for name in self.names])
        with self.server.running() as process:
            for name in self.names:
                own = self.own(name)
                studio = LabelStudio(self.server.url, known[name].token)
                project = studio.project(TITLE, page(len(own), editable=self.editable), instructions(self.editable))
                new = studio.add_tasks(project, self._tasks(own), "item")
                print(
                    f"review: {name} has {len(own)} pages, {new} of them new, at "
                    f"{self.server.url}/projects/{project}/data?labeling=1",
                    flush=True,
                )
            print(
                f"review: e-mail addresses and passwords are in {self.folder / ACCOUNTS}. Ctrl-C ends the server.",
                flush=True,
            )
            self.server.until_ended(process)

    def _tasks(self, own: Sequence[Item]) -> list[dict[str, Any]]:
        return [item.task(number, len(self.trial)) for number, item in enumerate(own, start=1)]

    def collect(self) -> list[Review]:
        """All that was reviewed, in Label Studio and in spreadsheets, written to ``reviews.jsonl``.

        Where a reviewer did a chain in both, Label Studio's word counts.

        Raises:
            StageError: Label Studio does not start or refuses a request, or its export is not this review's.
        """
        known, found = accounts(self.folder / ACCOUNTS, []), list[Review]()
        pages: dict[str, list[Review]] = {}
        if known:
            with self.server.running():
                for name in filter(known.__contains__, self.names):
                    studio = LabelStudio(self.server.url, known[name].token)
                    # A start that failed may have left an account without pages.
                    if studio.find_project(TITLE) is not None:
                        tasks = studio.tasks_with_annotations(TITLE)
                        pages[name] = reviews_of(name, self.own(name), tasks)
        for name in self.names:
            own = {review.item: review for review in read_reviews(self._handed_back(name))}
            own |= {review.item: review for review in pages.get(name, [])}
            found += [own[item.id] for item in self.own(name) if item.id in own]
            print(f"review: {name} has done {len(own)} of {len(self.own(name))} chains")
        write_reviews(self.folder / FILE, found)
        return found

    def write_sheets(self) -> list[Path]:
        """A spreadsheet for each reviewer, with what they handed back before.

        Raises:
            StageError: one is there already: a person may be at work in it.
        """
        files = {name: self.folder / _SHEETS / f"{name}.csv" for name in self.names}
        if there := [file for file in files.values() if file.exists()]:
            raise StageError(
                f"{there[0]} is there already, and somebody may have worked in it. Move it, or read it back."
            )
        for name, file in files.items():
            # Without the trial, whose answers a sheet can't hide until the end.
            own = [item for item in self.own(name) if not item.trial]
            write_sheet(file, own, read_reviews(self._handed_back(name)))
        return list(files.values())

    def read_sheet(self, file: Path) -> tuple[str, int]:
        """Take a spreadsheet back; the reviewer's name, and how many chains it decides.

        Raises:
            StageError: it is nobody's, or a cell cannot be.
        """
        if not file.exists() and (own_folder := self.folder / _SHEETS / file.name).exists():
            file = own_folder
        # "anna (1).csv" and anna_final.csv are anna's.
        name = next((name for name in self.names if re.match(rf"{name}(?![a-z0-9])", file.stem)), "")
        if not name:
            raise StageError(f"{file}: expected a name that begins with one of {list(self.names)}. Rename the file.")
        back = read_sheet(file, name, self.own(name))
        before = {review.item: review for review in read_reviews(self._handed_back(name))}
        before |= {review.item: review for review in back}
        write_reviews(self._handed_back(name), [before[item.id] for item in self.own(name) if item.id in before])
        return name, len(back)

    def _handed_back(self, name: str) -> Path:
        return self.folder / _SHEETS / f"{name}.jsonl"
