"""Whether a server is on this machine: posts of people in distress do not leave it without a word."""

from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def remote_host(url: str) -> str:
    """The host of a server that is not on this machine's loopback; "" for one that is."""
    host = urlsplit(url).hostname or ""
    return "" if host in _LOOPBACK else host
