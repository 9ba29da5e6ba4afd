"""This machine's loopback: whether a server is on it, and that Ray is.

Posts of people in distress do not leave the machine without a word, and nobody else gets in.
"""

import os
from collections.abc import MutableMapping
from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def remote_host(url: str) -> str:
    """The host of a server that is not on this machine's loopback; "" for one that is."""
    host = urlsplit(url).hostname or ""
    return "" if host in _LOOPBACK else host


def keep_ray_on_loopback(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let a Ray that is started here, and what verl and vLLM start on it, listen on 127.0.0.1 only.

    Asked for 127.0.0.1, Ray takes the machine's own address in its place (`ray._private.services`) and listens on all
    networks; vLLM's server, which asks nobody who they are, follows it. The variable that makes Ray one of a single
    machine on macOS and Windows does so here as well. Ray reads it as it is imported. It is not set where
    ``RAY_ADDRESS`` names a cluster, nor where it is set already.
    """
    if not environment.get("RAY_ADDRESS"):
        environment.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
