"""What is sent elsewhere is known as that, and Ray listens to nobody elsewhere."""

import subprocess
import sys

import pytest

from common.loopback import keep_ray_on_loopback, remote_host

# Where a Ray of our own and its processes listen.
LISTENING = """
import psutil
import recipes
import ray
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
ray.get(ray.remote(lambda: None).remote())
tree = [psutil.Process(), *psutil.Process().children(recursive=True)]
found = {c.laddr.ip for p in tree for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}
print(*sorted(found))
"""


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


def test_ray_listens_on_loopback_only() -> None:
    done = subprocess.run([sys.executable, "-c", LISTENING], capture_output=True, text=True, timeout=120, check=True)
    assert set(done.stdout.split()) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert done.stdout.split()


def test_a_cluster_is_joined_over_its_network() -> None:
    joined, own, told = {"RAY_ADDRESS": "10.0.0.1:6379"}, dict[str, str](), {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
    for environment in (joined, own, told):
        keep_ray_on_loopback(environment)
    assert list(joined) == ["RAY_ADDRESS"]
    assert own == {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    assert told == {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
