"""What a GRPO run will need: memory a GPU by part, seconds a step by phase. `recipes.plan` prints it."""
