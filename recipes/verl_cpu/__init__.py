"""What makes verl 0.9.1 and vLLM run on a CPU, by their own registries; loaded only by profiles that ask for it.

``platform`` registers the CPU as a verl platform, ``engine`` an FSDP2 engine for it, ``vllm_worker`` the vLLM worker
extension that keeps weights where verl's weight sync looks for them. ``verl_configs/grpo_tiny.yaml`` names all three.
"""
