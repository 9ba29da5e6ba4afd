"""What is to be generated, by whichever of the three runners: the request, its prompts, and the file of replies.

`eval.generation.offline` runs vLLM on this machine, `on_ray` on several, `endpoint` asks an OpenAI-compatible server.
All write the same JSON Lines and go on where a killed run was.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import pandas as pd

from common.files import set_aside, write_json
from common.records.replies import unfinished_replies, write_replies

# What decides a server's replies; more of them, or another pause, leave those that are there.
_OF_A_SERVER: Final = ("model", "base_url", "sampling", "seed", "system", "template_kwargs")
# How a server is asked: nothing to a model on this machine. And how many engines there are, which decides no reply.
_PATIENCE: Final = ("concurrency", "timeout_s", "retries", "backoff_s", "longest_pause_s", "stream", "replicas")


@dataclass(frozen=True)
class GenerationRequest:
    """What is to be generated.

    Attributes:
        model: a Hugging Face folder or id, or the model's name on a server.
        test: ``test.parquet`` of `make data`.
        replies: the file to write, see `common.records.replies`.
        samples: replies to each question.
        sampling: temperature (0 for greedy), max_tokens, and what else vLLM's SamplingParams or the server takes.
        seed: of all draws; a server gets none but ``sampling.seed``, which kills vLLM's CPU engine.
        system: the system prompt instead of the test file's; "" for none at all, None for the file's.
        text_prompt: a whole prompt with ``{post}`` in it, for a model without a chat template; "" for the template.
        template_kwargs: for the tokenizer's chat template, as in training.
        engine: arguments of vLLM's engine.
        block: questions that an engine has, and that are written, together.
        replicas: engines; None for one a GPU, or one with `eval.generation.on_ray` and without a GPU.
        bundle: what Ray reserves for each of an engine's workers, with `eval.generation.on_ray`.
        base_url: of an OpenAI-compatible server, ending with /v1; "" for vLLM.
        api_key_env: environment variable that holds the server's key; "" for a server that takes none.
        concurrency: calls under way at once on a server.
        timeout_s: as `common.chat_server.ServerSettings` has it, and so the following.
        retries: likewise.
        backoff_s: likewise.
        longest_pause_s: likewise.
        stream: likewise.
    """

    model: str
    test: str
    replies: str
    samples: int
    sampling: dict[str, Any]
    seed: int
    system: str | None = None
    text_prompt: str = ""
    template_kwargs: dict[str, Any] = field(default_factory=dict)
    engine: dict[str, Any] = field(default_factory=dict)
    block: int = 64
    replicas: int | None = None
    bundle: dict[str, float] = field(default_factory=lambda: {"CPU": 1, "GPU": 1})
    base_url: str = ""
    api_key_env: str = ""
    concurrency: int = 8
    timeout_s: float = 600.0
    retries: int = 6
    backoff_s: float = 1.0
    longest_pause_s: float = 60.0
    stream: bool = False

    def write(self, path: Path, extra: Mapping[str, Any], keep: bool, anew: bool = False) -> None:
        """Write the request beside the replies, once replies to another request are gone.

        A server's were paid for: they are set aside, and how patiently it is asked is no other request.

        Args:
            path: of the file.
            extra: what else decides the replies, such as digests of model and test set.
            keep: the replies are known to be this request's.
            anew: remove the replies in any case.
        """
        now = json.loads(json.dumps({**asdict(self), **extra}))
        decisive = [*_OF_A_SERVER, *extra] if self.base_url else [key for key in now if key not in _PATIENCE]
        before = _found(path)
        if anew or not (keep or all(key in before and before[key] == now[key] for key in decisive)):
            # First, so that a kill in between leaves no old replies beside a new request.
            if self.base_url:
                set_aside(Path(self.replies))
            Path(self.replies).unlink(missing_ok=True)
        write_json(path, now, indent=2)

    @classmethod
    def read(cls, path: Path) -> "GenerationRequest":
        """Read a file of `write`."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{key.name: content[key.name] for key in fields(cls)})

    def messages(self, row: Mapping[str, Any]) -> list[dict[str, str]]:
        """The chat of one row of the test file."""
        chat = [dict(message) for message in row["prompt"]]
        if self.system is None:
            return chat
        rest = [message for message in chat if message["role"] != "system"]
        return [{"role": "system", "content": self.system}, *rest] if self.system else rest

    def prompt_ids(self, tokenizer: Any, row: Mapping[str, Any]) -> list[int]:
        """The prompt's token ids, by the chat template as verl builds them, or of the text prompt."""
        if self.text_prompt:
            return list(tokenizer.encode(self.text_prompt.replace("{post}", row["question"])))
        encoded = tokenizer.apply_chat_template(
            self.messages(row), add_generation_prompt=True, tokenize=True, **self.template_kwargs
        )
        return list(encoded["input_ids"] if isinstance(encoded, Mapping) else encoded)


def _found(path: Path) -> dict[str, Any]:
    """The request of before; {} where there is none to be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def open_questions(request: GenerationRequest) -> pd.DataFrame:
    """Rows of the test file whose replies are not all there; the replies' file is cut back to whole questions first."""
    test = pd.read_parquet(request.test)
    path = Path(request.replies)
    replies = unfinished_replies(path)
    counts = Counter(reply.question_id for reply in replies)
    complete = {question_id for question_id, count in counts.items() if count == request.samples}
    write_replies(path, [reply for reply in replies if reply.question_id in complete])
    return test[~test["id"].isin(complete)]


def open_blocks(request: GenerationRequest) -> list[Sequence[Mapping[str, Any]]]:
    """Blocks of the test file's rows whose replies are not all there; the replies' file is cut back to whole blocks.

    A block is the same questions whatever has been done, since its draws are (`eval.generation.engine`).
    """
    rows = pd.read_parquet(request.test).to_dict("records")
    blocks = [rows[start : start + request.block] for start in range(0, len(rows), request.block)]
    path = Path(request.replies)
    replies = unfinished_replies(path)
    counts = Counter(reply.question_id for reply in replies)
    todo = [block for block in blocks if any(counts[row["id"]] != request.samples for row in block)]
    again = {row["id"] for block in todo for row in block}
    write_replies(path, [reply for reply in replies if reply.question_id not in again])
    return list(todo)


def put_in_order(request: GenerationRequest) -> None:
    """Replies that came as they were done, in the order of the test file."""
    places = {name: place for place, name in enumerate(pd.read_parquet(request.test, columns=["id"])["id"])}
    path = Path(request.replies)
    found = sorted(unfinished_replies(path), key=lambda reply: (places[reply.question_id], reply.sample))
    write_replies(path, found)
