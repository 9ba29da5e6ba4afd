"""FSDP2 on a CPU for verl, found through its EngineRegistry.

Loaded by ``actor_rollout_ref.model.external_lib=recipes.verl_cpu.engine`` before a worker looks its engine up.
"""

import torch
from verl.workers.engine import EngineRegistry, FSDPEngineWithLMHead


@EngineRegistry.register(model_type="language_model", backend=["fsdp2"], device=["cpu"])
class CPUEngineWithLMHead(FSDPEngineWithLMHead):
    """verl's engine, less the offload of a forward-only (reference) model.

    verl gives such a model ``CPUOffloadPolicy(pin_memory=True)``. Pinning needs an accelerator, and the parameters
    are on the CPU anyway.
    """

    def _build_fsdp_module(self, module: torch.nn.Module) -> torch.nn.Module:
        forward_only = self.engine_config.forward_only
        self.engine_config.forward_only = False
        try:
            return super()._build_fsdp_module(module)
        finally:
            self.engine_config.forward_only = forward_only
