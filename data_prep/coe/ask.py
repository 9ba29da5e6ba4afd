"""Asks the teacher for chains until as many pass the checks as are wanted; every answer is kept as it comes.

A chain that fails is asked for again, with the reasons, a bounded number of times; then its question is set aside and
the next of the draw takes its place. The same command goes on after a kill, an outage or a ceiling.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tqdm import tqdm

from common.chat_server import (
    Budget,
    CeilingReached,
    ChatServer,
    Completion,
    Refused,
    Run,
    ServerError,
    Unusable,
    Usage,
    ask_all,
)
from data_prep.coe.checks import CHECKS, ChainChecks
from data_prep.coe.config import CoEConfig
from data_prep.coe.drawing import Drawn
from data_prep.coe.prompt import TeacherPrompt
from data_prep.coe.records import FILE, Answer, AnswerFile, Fault, read_answers, tried

# A check's name for what the server or the model refuses to write about.
REFUSED: Final = "refused"


class TeacherError(ValueError):
    """The teacher can't be asked, or not go on; answers had so far are kept."""


@dataclass
class Written:
    """What came of it.

    Attributes:
        accepted: the chain of each question that has one, in the order of the draw.
        set_aside: the last answer on each question whose attempts are used up, or that was refused.
        answers: all of the file, of other requests too.
        stopped_by: the ceiling that ended the run, as ``key=value``; "" for none.
    """

    accepted: list[tuple[Drawn, Answer]] = field(default_factory=list)
    set_aside: list[tuple[Drawn, Answer]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    stopped_by: str = ""


def identity(config: CoEConfig, prompt: TeacherPrompt, item: Drawn) -> str:
    """A hash of all that an answer depends on but the attempt and the reasons why one before was refused."""
    what = [config.teacher, config.request, prompt.identity, item.question.id, item.question.post, item.response]
    text = json.dumps(what, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_chains(
    order: Sequence[Drawn], config: CoEConfig, prompt: TeacherPrompt, checks: ChainChecks, key: str, folder: Path
) -> Written:
    """Have chains written for the first questions of an order until enough pass.

    Args:
        order: of `drawn`.
        key: the server's.
        folder: of the stage.

    Raises:
        TeacherError: an outage, a server that can't serve, or a full disk.
        FileError: the file of answers is another one.
    """
    path = folder / FILE
    state = _State(order, config, prompt, checks, read_answers(path))
    file = AnswerFile(path)
    try:
        with tqdm(total=config.chains, initial=len(state.accepted()), desc="chains", unit="chain") as bar:
            stopped_by = asyncio.run(_ask(state, key, file, bar))
    except ServerError as error:
        raise TeacherError(
            f"{config.base_url}: {error}. {_remedy(error)}. {len(state.accepted())} of {config.chains} chains are "
            "there, everything that was answered is kept: run the same command again, without force=true."
        ) from error
    except OSError as error:
        raise TeacherError(
            f"{path}: {error.strerror}. The last answer could not be written and will be asked for again; all "
            "before it are kept. Make room, then run the same command again."
        ) from error
    finally:
        file.close()
    return state.written(stopped_by)


def _remedy(error: ServerError) -> str:
    if isinstance(error, Unusable):
        return "Check base_url, which ends with /v1 as a rule, teacher, request.* and the key"
    if "ConnectError" in str(error):
        return "Check base_url, or wait until the server is up"
    return "Wait until the server is well"


class _State:
    """Which questions have a chain, which are set aside, which are next."""

    def __init__(
        self,
        order: Sequence[Drawn],
        config: CoEConfig,
        prompt: TeacherPrompt,
        checks: ChainChecks,
        had: Sequence[Answer],
    ) -> None:
        self.config, self.prompt, self.checks, self.order = config, prompt, checks, order
        self.all = list(had)
        self.keys = {item.question.id: identity(config, prompt, item) for item in order}
        before = tried(had)
        # Checked anew: the limits may be others now, and a chain is not paid twice for that.
        self.of = {
            item.question.id: [self.checked(item, answer) for answer in before.get(self.keys[item.question.id], [])]
            for item in order
        }

    def checked(self, item: Drawn, answer: Answer) -> Answer:
        """An answer with today's checks."""
        if any(fault.check == REFUSED for fault in answer.faults):
            return answer
        layers, problems = self.checks(answer.text, item.question.post, item.response)
        return answer.model_copy(update={"layers": layers, "faults": tuple(Fault(**one._asdict()) for one in problems)})

    def decided(self, item: Drawn) -> bool:
        """Whether nothing more is asked about a question."""
        own = self.of[item.question.id]
        return bool(own) and (own[-1].accepted or len(own) >= self.config.attempts or _refused(own[-1]))

    def accepted(self) -> list[tuple[Drawn, Answer]]:
        """The questions with a chain, as many as are wanted at most."""
        there = [(item, self.of[item.question.id][-1]) for item in self.order if self.of[item.question.id]]
        return [(item, answer) for item, answer in there if answer.accepted][: self.config.chains]

    def next(self) -> list[Drawn]:
        """The questions to ask about now: as many as chains are missing."""
        missing = self.config.chains - len(self.accepted())
        return [item for item in self.order if not self.decided(item)][:missing]

    def add(self, item: Drawn, answer: Answer) -> None:
        self.of[item.question.id].append(answer)
        self.all.append(answer)

    def written(self, stopped_by: str) -> Written:
        accepted = self.accepted()
        aside = [
            (item, self.of[item.question.id][-1])
            for item in self.order
            if self.decided(item) and not self.of[item.question.id][-1].accepted
        ]
        return Written(accepted, aside, self.all, stopped_by)


def _refused(answer: Answer) -> bool:
    return any(fault.check == REFUSED for fault in answer.faults)


async def _ask(state: _State, key: str, file: AnswerFile, bar: tqdm) -> str:
    config = state.config
    budget = Budget(config, Usage.of(state.all))
    run = Run(answered_before=any(state.of.values()))
    async with ChatServer(config.settings(config.teacher, key)) as server:

        def keep(item: Drawn, answer: Answer) -> None:
            file.add(answer)
            state.add(item, answer)
            bar.update(len(state.accepted()) - bar.n)
            used = Usage.of(state.all)
            paid = {"cost": f"{config.cost(used):.2f}"} if config.price_in + config.price_out else {}
            bar.set_postfix(tokens=used.tokens, **paid, refresh=False)

        async def one(item: Drawn) -> None:
            while not state.decided(item):
                own = state.of[item.question.id]
                attempt = len(own) + 1
                told = {fault.check for fault in own[-1].faults} if own else set()
                problems = [name for name in CHECKS if name in told]
                messages = state.prompt.messages(item.question.post, item.response, problems)
                most, used = Usage.most(messages, config.longest_answer), Usage()
                await budget.hold(most)
                try:
                    completion = await server.complete(messages, config.request_of(attempt))
                    used, untold = most.after(completion, config.longest_answer)
                    # Before anything else is waited for: it is paid.
                    keep(item, _answer(state, item, attempt, completion, used, untold))
                    run.answer()
                except Refused as refused:
                    answer = _answer(state, item, attempt, Completion(""), Usage(), False)
                    answer = answer.model_copy(update={"faults": (Fault(check=REFUSED, detail=str(refused)),)})
                    run.refuse(refused, item.question.id, partial(keep, item, answer))
                    return
                finally:
                    await budget.settle(most, used)

        try:
            while todo := state.next():
                before = len(state.all)
                await ask_all(run, todo, one, lambda item: item.question.id, config.concurrency)
                if len(state.all) == before:
                    break
        except CeilingReached as ceiling:
            return str(ceiling)
    return ""


def _answer(state: _State, item: Drawn, attempt: int, completion: Completion, used: Usage, estimated: bool) -> Answer:
    answer = Answer(
        asked=state.keys[item.question.id],
        question=item.question.id,
        attempt=attempt,
        text=completion.text,
        reasoning=completion.reasoning,
        tokens_in=used.tokens_in,
        tokens_out=used.tokens_out,
        estimated=estimated,
        when=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
    if completion.refusal:
        return answer.model_copy(update={"faults": (Fault(check=REFUSED, detail=completion.refusal[:200]),)})
    return state.checked(item, answer)
