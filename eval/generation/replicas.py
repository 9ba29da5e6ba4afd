"""Several engines at once, each in a process with GPUs of its own, that take blocks as they come free.

Only this process writes. A replica that dies ends all of them; what they had finished has been handed on.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Protocol

from common.errors import StageError
from common.records.replies import Reply
from common.watchdog import die_with_parent, end_tree
from eval.generation.request import GenerationRequest

Block = Sequence[Mapping[str, Any]]
_CARDS: Final = "CUDA_VISIBLE_DEVICES"
# How long a replica that has gone is waited for, in seconds, to learn its exit status.
_GONE_S: Final = 10.0


class Replies(Protocol):
    """What a replica runs; see `eval.generation.engine.Engine`."""

    def replies(self, block: Block) -> list[Reply]:
        """All replies to the questions of a block."""
        ...


@dataclass(frozen=True)
class _Replica:
    name: str
    process: multiprocessing.process.BaseProcess
    connection: Connection


def visible_cards() -> list[str]:
    """The GPUs that this process may use, by the names that ``CUDA_VISIBLE_DEVICES`` takes; none on a CPU."""
    import torch  # only now: a replica asks none of it

    count = torch.cuda.device_count()
    named = os.environ.get(_CARDS)
    return named.split(",")[:count] if named else [str(number) for number in range(count)]


def places(request: GenerationRequest, cards: Sequence[str]) -> list[str]:
    """The GPUs of each replica, as ``CUDA_VISIBLE_DEVICES`` takes them; "" on a CPU.

    Raises:
        StageError: more GPUs are asked for than there are.
    """
    if not cards:
        return [""] * (request.replicas or 1)
    each = int(request.engine.get("tensor_parallel_size", 1) * request.engine.get("pipeline_parallel_size", 1))
    count = request.replicas or max(1, len(cards) // each)
    if count * each > len(cards):
        raise StageError(
            f"replicas={count} with {each} GPUs each need {count * each} GPUs, {len(cards)} are visible. Lower "
            "replicas or engine.tensor_parallel_size."
        )
    return [",".join(cards[number * each : (number + 1) * each]) for number in range(count)]


def shared(
    load: Callable[[GenerationRequest], Replies],
    request: GenerationRequest,
    blocks: Sequence[Block],
    own: Sequence[str],
) -> Iterator[list[Reply]]:
    """The replies to each block, in the order in which they are done; none where a replica has just loaded its engine.

    Args:
        load: makes an engine in a replica's process; found there by its name.
        request: what is generated.
        blocks: of questions.
        own: GPUs of each replica, of `places`.

    Raises:
        StageError: a replica ended before its work did.
    """
    waiting = iter(blocks)
    with _started(load, request, own) as replicas:
        busy = {replica.connection: replica for replica in replicas}
        while busy:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                try:
                    # Handed on before the next block is sent to the replica, which may have gone meanwhile.
                    yield connection.recv()
                    if (block := next(waiting, None)) is not None:
                        connection.send(block)
                except (EOFError, OSError):
                    raise _ended(busy[connection]) from None
                if block is None:
                    busy.pop(connection)
                    connection.close()
        for replica in replicas:
            replica.process.join(_GONE_S)


@contextmanager
def _started(
    load: Callable[[GenerationRequest], Replies], request: GenerationRequest, own: Sequence[str]
) -> Iterator[list[_Replica]]:
    """Replicas, none of which is left afterwards."""
    # Not forked: a process that has begun to use CUDA or threads cannot be.
    context, replicas = multiprocessing.get_context("spawn"), list[_Replica]()
    try:
        for number, cards in enumerate(own, start=1):
            here, there = context.Pipe()
            name = f"replica {number} of {len(own)}" + (f" on GPU {cards}" if cards else "")
            process = context.Process(target=_serve, args=(load, request, there), name=name)
            with _seeing(cards):
                process.start()
            there.close()
            replicas.append(_Replica(name, process, here))
        yield replicas
    finally:
        for replica in replicas:
            replica.connection.close()
            if replica.process.pid is not None and replica.process.is_alive():
                end_tree(replica.process.pid)


@contextmanager
def _seeing(cards: str) -> Iterator[None]:
    """What a process started meanwhile sees of the GPUs; "" for what this one does."""
    before = os.environ.get(_CARDS)
    if cards:
        os.environ[_CARDS] = cards
    try:
        yield
    finally:
        if before is not None:
            os.environ[_CARDS] = before
        elif cards:
            del os.environ[_CARDS]


def _serve(load: Callable[[GenerationRequest], Replies], request: GenerationRequest, connection: Connection) -> None:
    """A replica: blocks in, their replies out, until no more come."""
    die_with_parent()
    engine = load(request)
    # Asks for the first block: a sender would wait until it is read, and the others with it.
    connection.send([])
    while True:
        try:
            block = connection.recv()
        except EOFError:
            return
        connection.send(engine.replies(block))


def _ended(replica: _Replica) -> StageError:
    replica.process.join(_GONE_S)
    return StageError(
        f"{replica.name} ended with exit status {replica.process.exitcode} before its work was done; what it said is "
        "above. The replies that were finished stay, and the same command goes on with the others."
    )
