"""Engines for the tests of replicas, which look them up by name in processes of their own."""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.records.replies import Reply
from eval.generation.engine import block_seed
from eval.generation.request import GenerationRequest


class Fake:
    """Replies with the block's seed and its place in it, so that every byte tells who had it with whom."""

    def __init__(self, request: GenerationRequest) -> None:
        self.request = request
        self.waited = False

    def wait(self) -> None:
        """At its first block, until each replica has one: the first to be there would do all of them."""
        if self.waited:
            return
        self.waited = True
        there = Path(f"{self.request.replies}.at")
        with there.open("a") as file:
            file.write("here\n")
        deadline = time.monotonic() + 60
        while len(there.read_text().splitlines()) < (self.request.replicas or 1):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def replies(self, block: Sequence[Mapping[str, Any]]) -> list[Reply]:
        self.wait()
        seed = block_seed(self.request.seed, block)
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        with Path(f"{self.request.replies}.who").open("a") as file:
            file.write(f"{os.getpid()} {seen}\n")
        return [
            Reply(row["id"], sample, f"{seed} {place} {sample}", prompt_tokens=len(row["prompt"]))
            for place, row in enumerate(block)
            for sample in range(self.request.samples)
        ]


class Killed(Fake):
    """Is killed outright once it has a block with question q4."""

    def replies(self, block: Sequence[Mapping[str, Any]]) -> list[Reply]:
        if any(row["id"] == "q4" for row in block):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().replies(block)


class Broken(Fake):
    """Cannot be loaded."""

    def __init__(self, request: GenerationRequest) -> None:
        raise ValueError("no such model")
