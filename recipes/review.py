"""People review the chains of `make coe` in Label Studio on this machine's loopback, or in spreadsheets.

    make label-studio-env                                          # once: Label Studio in an environment of its own
    make review ARGS="reviewers=[anna,ben]"                        # serves until Ctrl-C; the same command goes on
    make review ARGS="action=export"                               # what was reviewed so far → coe_set.jsonl, review.md
    make review ARGS="action=sheet reviewers=[anna]"               # without Label Studio: review/sheets/anna.csv
    make review ARGS="action=read file=anna.csv"                   # the same file handed back; then action=export
    make review ARGS="of=generate reviewers=[anna] outputs=50"     # rate the layers that models wrote

``coe_set.jsonl`` holds what was accepted, for `make data ARGS=coe=…`. Reviewers log in with accounts of their own
(``review/accounts.json``, readable by its owner only). A post in which somebody sees acute danger goes to
``flagged.jsonl`` and is never drawn again.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.errors import StageError
from common.files import FileError, write_json_lines, write_text
from common.manifest import require_stage
from common.pages import number, page
from data_prep.coe.chains import CHAINS
from data_prep.coe.flagged import FLAGGED, flagged
from data_prep.coe.review.conduct import Conducted
from data_prep.coe.review.config import ReviewConfig
from data_prep.coe.review.items import Item, read_items
from data_prep.coe.review.page import texts
from data_prep.coe.review.records import Review
from data_prep.coe.review.results import SET, Reviewed, reasons, results
from recipes.profile import Common, load_profile
from recipes.review_outputs import Rated, output_items, rated
from recipes.stage import main

# A folder each: chains are judged, outputs of models are rated.
_FOLDERS = {"coe": "review", "generate": "review_outputs"}


def run(arguments: Sequence[str]) -> None:
    """Serve the pages, write or read spreadsheets, or put together what came of it.

    Raises:
        StageError: what is missing or wrong, in a line.
    """
    common, config = load_profile(arguments, "review", ReviewConfig)
    folder = common.root / _FOLDERS[config.of]
    try:
        review = Conducted.open(folder, _items(common, config), config, common.seed)
        if config.action == "start":
            return review.serve()
        if config.action == "sheet":
            for file in review.write_sheets():
                print(f"review: {file}")
            return None
        if config.action == "read":
            if not config.file:
                raise StageError('action=read: which file? Write ARGS="action=read file=anna.csv".')
            name, count = review.read_sheet(Path(config.file))
            print(f"review: {count} chains of {name} read. ARGS=action=export puts everything together.")
            return None
        reviews = review.collect()
        if config.of == "generate":
            _write_rated(folder, rated(reviews, review.items))
        else:
            _write_set(common, folder, review, reviews)
    except FileError as error:
        raise StageError(f"review: {error}") from error
    return None


def _items(common: Common, config: ReviewConfig) -> list[Item]:
    """What is reviewed."""
    if config.of == "generate":
        return output_items(common, config)
    return read_items(require_stage(common.root / "coe", "coe") / CHAINS)


def _write_set(common: Common, folder: Path, review: Conducted, reviews: Sequence[Review]) -> None:
    out = flagged(common.root / FLAGGED)
    found = results(review.items, review.owners, reviews, review.trial, out)
    write_json_lines(common.root / FLAGGED, [{"id": id} for id in sorted({*found.flagged, *out})])
    write_json_lines(folder / SET, found.lines)
    text = _report(found, reviews, review)
    write_text(folder / "review.md", text)
    print(text)
    print(f"review: {folder / SET}. To train on it, add coe={folder / SET} to the ARGS that make data had.")


def _report(found: Reviewed, reviews: Sequence[Review], review: Conducted) -> str:
    told = texts()["reasons"]
    own = [one for one in reviews if one.item not in {item.id for item in review.trial}]
    return page(
        "data_prep.coe.review",
        "review",
        used=len(found.lines),
        revised=sum(line["provenance"]["decision"] == "revise" for line in found.lines),
        left_out=sorted(found.left_out.items()),
        open=len(found.open),
        flagged=len(found.flagged),
        reviewers=[
            (
                name,
                sum(one.reviewer == name for one in own),
                sum(one.reviewer == name and one.kept for one in own),
                "–" if not found.trial.get(name, (0, 0))[1] else "{} of {}".format(*found.trial[name]),
            )
            for name in review.names
        ],
        agreement=found.agreement,
        same=number(found.agreement.same),
        kappa=number(found.agreement.kappa),
        alpha=number(found.agreement.alpha),
        distances=[
            (name, f"{np.mean(each):.3f}", sum(value > 0 for value in each))
            for name, each in found.distances.items()
            if each
        ],
        reasons=[(told[name], count) for name, count in reasons(own)],
    )


def _write_rated(folder: Path, found: Sequence[Rated]) -> None:
    write_json_lines(folder / "ratings.jsonl", [one.__dict__ for one in found])
    text = page(
        "data_prep.coe.review",
        "ratings",
        rows=[(one.model, one.outputs, number(one.mean), one.flagged) for one in found],
    )
    write_text(folder / "ratings.md", text)
    print(text)


if __name__ == "__main__":
    main(run)
