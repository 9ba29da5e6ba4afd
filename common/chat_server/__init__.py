"""The one client for OpenAI-compatible chat servers.

`client` asks, `answer` and `words` read, `many` asks often, `budget` holds a ceiling; `keys` are what a stage's section
of the profile says of a server. Whatever asks a server imports it: `make generate`, `make judge`, `make data` and
`make coe`, later the chat page. It holds nothing of what is asked or what an answer means.
"""

from common.chat_server.answer import Completion, Piece
from common.chat_server.budget import Budget, CeilingReached, Usage
from common.chat_server.client import ChatServer, ServerSettings, read_key
from common.chat_server.errors import Outage, Refused, ServerError, Unusable
from common.chat_server.many import Run, ask_all

__all__ = [
    "Budget",
    "CeilingReached",
    "ChatServer",
    "Completion",
    "Outage",
    "Piece",
    "Refused",
    "Run",
    "ServerError",
    "ServerSettings",
    "Unusable",
    "Usage",
    "ask_all",
    "read_key",
]
