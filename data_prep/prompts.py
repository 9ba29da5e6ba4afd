"""The system prompts: with the Chain of Empathy, and without it for the ``w/o CoE`` ablation (Table 4)."""

from typing import Final

COE_PROMPT: Final = """你是一位有经验的心理咨询师，正在回复一封求助来信。请先按四个层次思考，再写给来访者看的回复。
L1 情绪与处境：来访者有哪些情绪，它们由怎样的处境引起。
L2 原因与信念：情绪背后有哪些原因、想法，可能有什么认知偏差。
L3 求助意图：来访者最需要的是被认可、被理解，还是具体的建议。
L4 回应策略：据此决定先回应什么，用什么方式，给出哪些支持。
回复要真诚、具体、不评判；若有伤害自己或他人的危险，先关心安全，并引导其联系身边的人和专业援助。
严格按此格式输出：<empathy_think><L1>…</L1><L2>…</L2><L3>…</L3><L4>…</L4></empathy_think><answer>…</answer>"""

PLAIN_PROMPT: Final = """你是一位有经验的心理咨询师，正在回复一封求助来信。
回复要真诚、具体、不评判；若有伤害自己或他人的危险，先关心安全，并引导其联系身边的人和专业援助。"""

SYSTEM_PROMPTS: Final = {"coe": COE_PROMPT, "plain": PLAIN_PROMPT}


def chat_messages(system_prompt: str, post: str) -> list[dict[str, str]]:
    """The prompt's messages, the same for LLaMA-Factory, verl and vLLM."""
    return [{"role": "system", "content": system_prompt}, {"role": "user", "content": post}]
