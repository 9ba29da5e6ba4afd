"""One thin entry point per stage, in the order they run: base, data, sft, reward_model, grpo, eval."""

from common.loopback import keep_ray_on_loopback

keep_ray_on_loopback()
