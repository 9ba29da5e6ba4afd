"""What is sent elsewhere is known as that."""

import pytest

from common.loopback import remote_host


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8000/v1", ""),
        ("http://[::1]:8000/v1", ""),
        ("http://LOCALHOST/v1", ""),
        ("https://api.deepseek.com/v1", "api.deepseek.com"),
        ("http://127.0.0.1.example.com/v1", "127.0.0.1.example.com"),
        ("http://10.0.0.7:8000/v1", "10.0.0.7"),
    ],
)
def test_the_host_of_a_server_elsewhere(url: str, host: str) -> None:
    assert remote_host(url) == host
