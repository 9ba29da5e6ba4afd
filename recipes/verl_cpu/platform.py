"""The CPU as a verl platform.

Loaded in every process by ``VERL_USE_EXTERNAL_MODULES=recipes.verl_cpu.platform``, chosen by ``VERL_PLATFORM=cpu``.
verl asks Ray for "GPU" slots: the profile gives Ray as many as it wants workers (``ray_init.num_gpus``)."""

import functools
import resource
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any

import psutil
import torch
import verl.utils.distributed
from verl.plugin.platform import PlatformBase, PlatformRegistry


def _peak_bytes(*_: object) -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _resident_bytes(*_: object) -> int:
    return int(psutil.Process().memory_info().rss)


def _free_and_total_bytes(*_: object) -> tuple[int, int]:
    memory = psutil.virtual_memory()
    return memory.available, memory.total


def _nothing(*_: object, **__: object) -> None:
    return None


def _device_module() -> ModuleType:
    """A module shaped like ``torch.cuda`` with the calls verl makes; memory is this process's, in bytes."""
    module = ModuleType("recipes.verl_cpu.device")
    module.__dict__.update(
        is_available=lambda: True,
        device_count=lambda: 1,
        current_device=lambda: torch.device("cpu"),
        get_device_name=lambda *_: "CPU",
        manual_seed=torch.manual_seed,
        manual_seed_all=torch.manual_seed,
        get_rng_state=lambda *_: torch.get_rng_state(),
        set_rng_state=lambda state, *_: torch.set_rng_state(state),
        memory_allocated=_resident_bytes,
        memory_reserved=_resident_bytes,
        max_memory_allocated=_peak_bytes,
        max_memory_reserved=_peak_bytes,
        mem_get_info=_free_and_total_bytes,
        Stream=torch.cpu.Stream,
        current_stream=torch.cpu.current_stream,
        stream=lambda _: nullcontext(),
        **dict.fromkeys(
            ("set_device", "synchronize", "empty_cache", "ipc_collect", "reset_peak_memory_stats"), _nothing
        ),
    )
    return module


@PlatformRegistry.register(platform="cpu")
class PlatformCPU(PlatformBase):
    """Everything verl asks of a device, answered for the CPU."""

    # verl reads them as properties.
    device_name = "cpu"
    vendor_name = "cpu"
    device_module = _device_module()

    def is_available(self) -> bool:
        return True

    def current_device(self) -> torch.device:  # type: ignore[override]  # an int would mean an accelerator's index
        return torch.device("cpu")

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None:
        del device_index

    def synchronize(self, device_index: int | None = None) -> None:
        del device_index

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        del settings

    def empty_cache(self) -> None:
        return None

    def get_device_capability(self, device_index: int = 0) -> tuple[int | None, int | None]:
        del device_index
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        del msg
        yield

    def profiler_start(self) -> None:
        return None

    def profiler_stop(self) -> None:
        return None

    def ray_resource_name(self) -> str:
        # verl's resource pools know GPU and NPU only.
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        # False selects weight transfer through shared memory.
        return False

    def cudart(self) -> Any:
        return None


def _use_one_gloo_backend() -> None:
    """verl asks torch for ``cpu:gloo,<device>:<backend>``, which on a CPU names the device twice and is refused.

    The platform interface does not reach this string, so the function is wrapped to pass ``cpu:gloo``, as verl's own
    checkpoint engine does.
    """
    original = verl.utils.distributed.initialize_global_process_group_ray

    @functools.wraps(original)
    def initialize(timeout_second: float | None = None, backend: str | None = None) -> None:
        original(timeout_second, backend or "cpu:gloo")

    verl.utils.distributed.initialize_global_process_group_ray = initialize


_use_one_gloo_backend()
