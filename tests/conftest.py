"""Fixtures of more than one package."""

from pathlib import Path

import pytest

from common.loopback import keep_ray_on_loopback
from tests.browser import find_chromium, find_label_studio

keep_ray_on_loopback()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the program; the test is skipped, or fails in CI, where there is none."""
    return find_chromium()


@pytest.fixture(scope="session")
def label_studio() -> Path:
    """Label Studio's environment; the test is skipped, or fails in CI, where there is none."""
    return find_label_studio()
