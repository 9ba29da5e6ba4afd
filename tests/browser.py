"""Programs that the browser tests need and the project does not install: they skip without them, and CI must not skip.

`.ci/run` sets ``BROWSER_TESTS=required``, which turns the skip into a failure.
"""

import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import pytest

from common.code import REPO

# Of a test's page: nothing is fetched from elsewhere.
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LABEL_STUDIO: Final = REPO / ".venv-label-studio"


def missing(remedy: str) -> NoReturn:
    """Skip the test, or fail it where browser tests are required; the remedy is the reason that pytest shows."""
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(f"BROWSER_TESTS=required, and a browser test can't run. {remedy}", pytrace=False)
    pytest.skip(remedy)


def find_chromium() -> str:
    """The system's own Chromium; playwright's download is not used."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    missing("Install a Chromium: apt-get install chromium fonts-noto-cjk")


def find_label_studio() -> Path:
    """The environment that holds Label Studio."""
    if not (LABEL_STUDIO / "bin" / "label-studio").is_file():
        missing("Install Label Studio: make label-studio-env")
    return LABEL_STUDIO
