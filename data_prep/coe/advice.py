"""Whether a layer that should understand gives advice: says what to do, and not what somebody believes or hopes."""

import re
from typing import Final

# The asker's own thoughts and wishes: 她觉得自己应该更努力, 想知道可以怎么做.
_THEIRS: Final = re.compile(
    r"(?:认为|觉得|以为|相信|认定|要求|想|希望|期待|渴望|盼|问|不知道|知道|怎么|怎样|如何|是否|能不能|该不该|要不要|担心|害怕|怕)[^，。；！？]*$"
)
_ADVICE: Final = re.compile(
    r"建议(?:她|他|你|TA|来访者|来信者|对方|先|去|可以|多|尝试|每天|从)"
    r"|不妨|试着|试试|尝试着?(?:去|先|每天|和|跟|把|用)"
    r"|可以(?:先|试|尝试|多|每天|每晚|每周|通过|考虑|去|和|跟|找|把|给|从|用|主动|学|慢慢|适当|在|制定|写|做|提前|定|选择|利用|让自己|告诉自己)"
    r"|(?:应该|应当|需要|必须|要|得)(?:先|多|学会|学着|尽快|尽早|及时|主动|去|跟|和|把|每天|放下|放松|调整|改变|接受|接纳|勇敢|积极|努力|制定|坚持|试)"
    r"|最好(?:先|去|是|能|在|把|和|跟|每)|(?:不要|别)(?:再|太|总|一直|把|去|轻易|急)|早点|学会(?:放|接|拒|表|爱|照|和|跟|与|把|调)"
)


def advises(layer: str) -> bool:
    """Whether a layer gives advice."""
    return any(not _THEIRS.search(layer[: match.start()]) for match in _ADVICE.finditer(layer))
