"""The keys of `make review`."""

import re
from dataclasses import dataclass, field

from common.code import REPO
from common.settings import check, limited, one_of


@dataclass(frozen=True)
class ReviewConfig:
    """Which chains are reviewed, by whom, and where.

    Attributes:
        action: start serves the pages, export brings back what was reviewed, sheet writes a spreadsheet for each
            reviewer, read takes one back.
        of: "coe" for the chains of `make coe`; "generate" for outputs of `make generate`, whose layers are rated.
        reviewers: names, of small letters and digits; more may be added while the review goes on.
        overlap: share of the chains that two reviewers see.
        trial: whether ten chains with known verdicts come first.
        outputs: of `make generate`, how many questions are rated at most.
        models: of `make generate`; [] for all that write layers.
        file: a spreadsheet that came back, with action=read; its name begins with the reviewer's.
        environment: Label Studio's virtual environment.
        host: the address to listen on; another than loopback lets other machines in, in plain HTTP.
        port: of HTTP.
        start_limit_s: how long Label Studio may take to start, in seconds.
    """

    action: str = field(default="start", metadata=one_of(("start", "export", "sheet", "read")))
    of: str = field(default="coe", metadata=one_of(("coe", "generate")))
    reviewers: list[str] = field(default_factory=list)
    overlap: float = limited(0.2, 0, 1)
    trial: bool = True
    outputs: int = limited(50, 1)
    models: list[str] = field(default_factory=list)
    file: str = ""
    environment: str = str(REPO / ".venv-label-studio")
    host: str = "127.0.0.1"
    port: int = 8081
    start_limit_s: float = limited(300.0, 1)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: one that can't be; the message names the key.
        """
        check(self)
        if wrong := [name for name in self.reviewers if not re.fullmatch("[a-z0-9]+", name)]:
            raise ValueError(f"reviewers={wrong[0]}: expected small letters and digits.")
        if len(set(self.reviewers)) < len(self.reviewers):
            raise ValueError(f"reviewers={self.reviewers}: expected each once.")
