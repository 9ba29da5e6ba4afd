"""The one client for OpenAI-compatible chat servers: `client` asks, `answer` and `words` read, `many` asks often.

Whatever asks a server imports it: `make generate`, `make judge`, and later data preparation and the chat page. It holds
nothing of what is asked or what an answer means.
"""

from common.chat_server.answer import Completion, Piece
from common.chat_server.client import ChatServer, ServerSettings, read_key
from common.chat_server.errors import Outage, Refused, ServerError, Unusable
from common.chat_server.many import Run, ask_all

__all__ = [
    "ChatServer",
    "Completion",
    "Outage",
    "Piece",
    "Refused",
    "Run",
    "ServerError",
    "ServerSettings",
    "Unusable",
    "ask_all",
    "read_key",
]
