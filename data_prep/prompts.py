"""The system prompts: with the Chain of Empathy, and without it for the ``w/o CoE`` ablation (Table 4)."""

from typing import Final

from reward_fns.coe_format import LAYER_ASKS, LAYER_TITLES, LAYERS, skeleton

_ROLE: Final = "你是一位有经验的心理咨询师，正在回复一封求助来信。"
_CARE: Final = "回复要真诚、具体、不评判；若有伤害自己或他人的危险，先关心安全，并引导其联系身边的人和专业援助。"
_NUMBER: Final = "零一两三四五六七八九"[len(LAYERS)]

COE_PROMPT: Final = "\n".join(
    [
        f"{_ROLE}请先按{_NUMBER}个层次思考，再写给来访者看的回复。",
        *(f"{name} {LAYER_TITLES[name]}：{LAYER_ASKS[name]}" for name in LAYERS),
        _CARE,
        f"严格按此格式输出：{skeleton()}",
    ]
)

PLAIN_PROMPT: Final = f"{_ROLE}\n{_CARE}"

SYSTEM_PROMPTS: Final = {"coe": COE_PROMPT, "plain": PLAIN_PROMPT}


def chat_messages(system_prompt: str, post: str) -> list[dict[str, str]]:
    """The prompt's messages, the same for LLaMA-Factory, verl and vLLM."""
    return [{"role": "system", "content": system_prompt}, {"role": "user", "content": post}]
