"""vLLM's worker extension for verl's weight sync on a CPU.

Chosen by ``actor_rollout_ref.rollout.engine_kwargs.vllm.worker_extension_cls``.
"""

from typing import Any

import torch
import vllm.model_executor.layers.utils
from verl.workers.rollout.vllm_rollout.utils import vLLMColocateWorkerExtension


def _plain_linear(layer: torch.nn.Module, remove_weight: bool) -> None:
    del remove_weight
    # setattr: torch types a module's attributes as modules or tensors, vLLM keeps a function here.
    setattr(layer, "cpu_linear", torch.nn.functional.linear)  # noqa: B010


class CPUWorkerExtension(vLLMColocateWorkerExtension):
    """verl's extension, with vLLM told to leave linear weights as they are.

    After the first load vLLM's CPU backend repacks each linear weight for oneDNN and leaves an empty parameter in its
    place, so that verl's in-place ``load_weights`` fails at the first sync ("'Parameter' object has no attribute
    'weight_loader'") and the driver waits for ever. torch's own linear reads the plain weight.
    """

    def __new__(cls, **kwargs: Any) -> "CPUWorkerExtension":
        vllm.model_executor.layers.utils.dispatch_cpu_unquantized_gemm = _plain_linear
        return super().__new__(cls, **kwargs)
