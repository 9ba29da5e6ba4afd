"""The records at the borders of stages: one dataclass each, with the one reader that checks and the one writer."""

from typing import Final

# In grpo's folder: verl's log of its steps.
METRICS_FILE: Final = "metrics.jsonl"
# In grpo's folder, where trainer.rollout_data_dir says so: the format's curve is drawn from it.
ROLLOUTS: Final = "rollouts"
# In reward-model's folder, where it kept them: its held-out pairs.
HELDOUT_FILE: Final = "heldout.parquet"
# In reward-probes' folder: T, and which attacks it would pay for.
PROBES_FILE: Final = "probes.json"
