"""A corpus as cleaned dialogues, turn by turn, for the pre-training of a base model (`recipes.base`).

Other stages read a dialogue as one long post with a response (`data_prep.corpora.smilechat`); here turns stay apart.
A corpus of posts gives a dialogue of two turns for each response. Every text goes through cleaning's text rules, and
personal data that has a pattern (numbers, mail, accounts, links) is masked. Names are not looked for: the rules for
them damage too much prose for a model to learn from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data_prep.anonymise.engine import Anonymiser
from data_prep.anonymise.placeholders import PATTERNED
from data_prep.cleaning.cleaner import Cleaner
from data_prep.corpora import detect_format, load_corpus, smilechat
from data_prep.corpora.detect import open_dialogues, smilechat_folder
from data_prep.corpora.dialogue import load_turns
from data_prep.corpora.records import MAX_BAD_RECORDS, Intake

_ROLES: Final = {"seeker": "user", "supporter": "assistant"}


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Turns in their order: (role, text), role "user" or "assistant"; the first is the user's, roles alternate."""

    id: str
    turns: tuple[tuple[str, str], ...]


def load_dialogues(path: Path | None, format: str = "auto", encoding: str = "utf-8") -> tuple[str, list[Dialogue]]:
    """The corpus's format and its dialogues, as they came; None is the sample corpus.

    Raises:
        CorpusError: what `load_corpus` raises.
    """
    chosen = format if path is None or format != "auto" else detect_format(path, encoding)
    if path is not None and chosen in ("smilechat", "dialogue"):
        intake = Intake()
        if chosen == "smilechat":
            spoken = smilechat.load_turns(smilechat_folder(path) or path, intake, encoding)
        else:
            spoken = load_turns(path, open_dialogues(path, encoding), intake)
        intake.corpus(path, [], MAX_BAD_RECORDS)
        return chosen, [Dialogue(name, tuple((_ROLES[role], text) for role, text in turns)) for name, turns in spoken]
    corpus = load_corpus(path, format, encoding=encoding)
    return corpus.format, [
        Dialogue(f"{question.id}/{number}", (("user", question.post), ("assistant", response)))
        for question in corpus.questions
        for number, response in enumerate(question.responses)
    ]


def treated(dialogues: Sequence[Dialogue]) -> Iterator[Dialogue]:
    """Each dialogue cleaned and masked; one without a user's and an assistant's turn is left out.

    Neighbouring turns of one role become one. What follows the assistant's last turn is dropped: nothing answers it.
    """
    cleaner, anonymiser = Cleaner(), Anonymiser(PATTERNED)
    for dialogue in dialogues:
        texts = anonymiser([cleaner.mended(text) for _, text in dialogue.turns]).texts
        turns: list[tuple[str, str]] = []
        for (role, _), text in zip(dialogue.turns, texts, strict=True):
            if text and turns and turns[-1][0] == role:
                turns[-1] = (role, turns[-1][1] + text)
            elif text and (turns or role == "user"):
                turns.append((role, text))
        whole = turns[:-1] if turns and turns[-1][0] == "user" else turns
        if whole:
            yield Dialogue(dialogue.id, tuple(whole))
