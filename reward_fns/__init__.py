"""What GRPO is rewarded for: the CoE format, and the answer's closeness to the question."""
