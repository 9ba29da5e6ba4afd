"""Replies of one model to the test prompts, by vLLM on this machine.

    python -m eval.generation.offline request.json

One process a model: vLLM gives its memory back only when its process ends. With more than one GPU there are more
engines, each in a process of its own (`eval.generation.replicas`). Replies are written block by block, so that a killed
run goes on where it was; in the end they are put into the order of the test file.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from common.errors import StageError
from common.records.replies import Reply, append_replies
from eval.generation.engine import Engine
from eval.generation.replicas import Block, places, shared, visible_cards
from eval.generation.request import GenerationRequest, open_blocks, put_in_order


def generate(request: GenerationRequest) -> None:
    """Write the replies that are not there yet.

    Raises:
        StageError: too few GPUs, or a replica that ended; what was finished is written.
    """
    blocks = open_blocks(request)
    for replies in _replies(request, blocks):
        append_replies(Path(request.replies), replies)
    put_in_order(request)


def _replies(request: GenerationRequest, blocks: list[Block]) -> Iterator[list[Reply]]:
    if not blocks:
        return
    own = places(request, visible_cards())[: len(blocks)]
    if len(own) > 1:
        yield from shared(Engine, request, blocks, own)
    else:
        yield from map(Engine(request).replies, blocks)


if __name__ == "__main__":
    try:
        generate(GenerationRequest.read(Path(sys.argv[1])))
    except StageError as error:
        sys.exit(f"error: {error}")
