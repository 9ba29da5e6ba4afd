"""One thin entry point per stage, in the order they run: base, data, sft, reward_model, grpo, eval."""
