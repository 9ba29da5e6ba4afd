"""A browser test without its browser skips with a remedy, and fails where CI says so."""

import pytest

from tests.browser import find_chromium


def test_a_missing_browser_skips_and_in_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BROWSER_TESTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        find_chromium()
    monkeypatch.setenv("BROWSER_TESTS", "required")
    with pytest.raises(pytest.fail.Exception, match=r"required.*apt-get install chromium"):
        find_chromium()
