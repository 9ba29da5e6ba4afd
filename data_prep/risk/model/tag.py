"""The risk of posts by a model, beside the rules' own: a crisis is never left to a model alone.

- The model decides, but a post that the rules call acute stays at least a concern.
- A post that the server refuses, or of which no answer can be read, is a concern whatever the rules say: nobody has
  looked at it.
- Where a model gives no kinds (a classifier gives none) those of the rules stand, and ``other`` where they have none.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.records.risk import KINDS, LEVELS, Risk
from data_prep.risk.model.answers import FILE, Answer, Answers
from data_prep.risk.model.classifier import check_labels, classify
from data_prep.risk.model.config import RiskTaggerConfig
from data_prep.risk.model.server import ask, asked, read_server_key


@dataclass(frozen=True, slots=True)
class ModelTags:
    """What became of the posts.

    Attributes:
        risks: of each post, in order.
        outcomes: how many posts the model decided ("read"), could not be understood on, or refused.
        raised: how many the rules made a concern that the model called harmless.
    """

    risks: tuple[Risk, ...]
    outcomes: dict[str, int]
    raised: int


def check_tagger(config: RiskTaggerConfig) -> None:
    """Find out, before anything is done, whether the model can be asked: the server's key, the classifier's labels.

    Raises:
        ValueError: the classifier's labels have no levels.
        OSError: there is no such classifier.
        StageError: the server's key is missing.
    """
    if config.tagger == "server":
        read_server_key(config)
    elif config.tagger == "classifier":
        check_labels(config)


def tag(posts: Sequence[str], rules: Iterable[Risk], config: RiskTaggerConfig, folder: Path) -> ModelTags:
    """Ask the model about each post, and join its answers with the rules' tags.

    Args:
        posts: as they will be published, personal data masked: they leave the machine where the server is another one.
        rules: the rules' tag of each post.
        folder: where the answers are kept.

    Raises:
        ValueError: the server is not well, or the classifier's labels have no levels.
        OSError: there is no such classifier.
        StageError: the server's key is missing.
    """
    answers = Answers(folder / FILE, asked(config) if config.tagger == "server" else config.decisive())
    (ask if config.tagger == "server" else classify)(posts, config, answers)
    found = [answers.get(post) for post in posts]
    risks, raised = [], 0
    for answer, own in zip(found, rules, strict=True):
        assert answer is not None
        risks.append(joined(answer, own))
        raised += (
            answer.outcome == "read" and answer.said is not None and _rank(risks[-1]) > LEVELS.index(answer.said.level)
        )
    return ModelTags(tuple(risks), dict(Counter(answer.outcome for answer in found if answer)), raised)


def joined(answer: Answer, rules: Risk) -> Risk:
    """The risk of a post by a model's answer and the rules' tag."""
    if answer.said is None:
        least, kinds = max(_rank(rules), LEVELS.index("concern")), set(rules.kinds)
    else:
        least = LEVELS.index(answer.said.level)
        if rules.level == "acute":
            least = max(least, LEVELS.index("concern"))
        kinds = set(answer.said.kinds) or set(rules.kinds)
    if not least:
        return Risk()
    return Risk(LEVELS[least], tuple(kind for kind in KINDS if kind in kinds) or ("other",))


def _rank(risk: Risk) -> int:
    return LEVELS.index(risk.level)
