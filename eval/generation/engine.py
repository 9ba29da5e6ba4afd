"""One vLLM engine that replies to blocks of questions, each block as if it were the engine's first.

The same replies, byte for byte, whichever engine has a block and whatever it had before: a block begins without a cache
of earlier prompts, and draws from a seed of its own questions. A seed for each prompt would not do. On a CPU it ends
vLLM's engine; on a GPU the last bits of a prompt's logits may depend on what is computed beside it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from common.records.replies import Reply
from eval.generation.request import GenerationRequest

# By its name: vLLM's workers load it.
_EXTENSION: Final = "eval.generation.draws.DrawsExtension"


class Engine:
    """The engine, loaded."""

    def __init__(self, request: GenerationRequest) -> None:
        """Load model and tokenizer."""
        from transformers import AutoTokenizer  # only now: these imports take seconds
        from vllm import LLM, SamplingParams

        self._request = request
        self._tokenizer = AutoTokenizer.from_pretrained(request.model, trust_remote_code=False)
        self._vllm = LLM(
            model=request.model,
            seed=request.seed,
            trust_remote_code=False,
            worker_extension_cls=_EXTENSION,
            **request.engine,
        )
        self._sampling = SamplingParams(n=request.samples, **request.sampling)

    def replies(self, block: Sequence[Mapping[str, Any]]) -> list[Reply]:
        """All replies to the questions of a block, in their order.

        Raises:
            RuntimeError: vLLM kept earlier prompts in its cache.
        """
        from vllm import TokensPrompt

        if not self._vllm.reset_prefix_cache():
            raise RuntimeError("vLLM's prefix cache is in use between two blocks, expected no request under way")
        self._vllm.collective_rpc("seed_draws", args=(block_seed(self._request.seed, block),))
        prompts = [TokensPrompt(prompt_token_ids=self._request.prompt_ids(self._tokenizer, row)) for row in block]
        outputs = self._vllm.generate(prompts, self._sampling, use_tqdm=True)
        return [
            Reply(
                row["id"],
                sample,
                reply.text,
                len(output.prompt_token_ids or []),
                len(reply.token_ids),
                reply.finish_reason == "stop",
                reply.finish_reason or "",
            )
            for row, output in zip(block, outputs, strict=True)
            for sample, reply in enumerate(output.outputs)
        ]


def block_seed(seed: int, block: Sequence[Mapping[str, Any]]) -> int:
    """The seed of a block's draws, 0 to 2**32 - 1: of the run's seed and the block's questions, and nothing else."""
    named = "\n".join([str(seed), *(str(row["id"]) for row in block)])
    return int.from_bytes(hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()[:4])
