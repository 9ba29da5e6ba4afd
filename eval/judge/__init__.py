"""An LLM as judge of anonymous replies, over any OpenAI-compatible server."""
