"""Label Studio for people's work, on this machine's loopback and without a network, and its HTTP API.

Its pins are its own, so it lives in a virtual environment beside ours: `make label-studio-env`.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from tqdm import tqdm

from common.errors import StageError
from common.files import replacing
from common.watchdog import die_with_parent, end_tree, tail

ACCOUNTS: Final = "accounts.json"
_SCRIPT: Final = Path(__file__).with_name("accounts_script.py")
_POLL_S: Final = 0.5


@dataclass(frozen=True)
class Annotator:
    """Who works on the pages: a name, and what Label Studio asks for. Its HTTP API asks us for the token."""

    name: str
    email: str
    password: str
    token: str


@dataclass(frozen=True)
class Server:
    """One Label Studio.

    Attributes:
        folder: holds its database and its log.
        environment: the virtual environment that it is installed in.
        host: the address that it listens on.
        port: of HTTP.
        limit_s: how long its start may take.
    """

    folder: Path
    environment: Path
    host: str = "127.0.0.1"
    port: int = 8080
    limit_s: float = 300.0

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        return f"http://{'127.0.0.1' if self.host == '0.0.0.0' else self.host}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def add_accounts(self, accounts: Sequence[Annotator]) -> None:
        """Make the database where there is none, and the accounts that are missing; the server may be running.

        Raises:
            StageError: no such environment, or Label Studio refuses.
        """
        self._prepare()
        # -I: this script's folder must not be searched, nor what PYTHONPATH names.
        try:
            done = subprocess.run(
                [str(self.environment / "bin" / "python"), "-I", str(_SCRIPT)],
                input=json.dumps([asdict(account) for account in accounts]),
                env=self._environment(),
                cwd=self.folder,
                capture_output=True,
                text=True,
                timeout=self.limit_s,
            )
        except subprocess.TimeoutExpired as error:
            raise StageError(
                f"Label Studio did not make its accounts within {self.limit_s:.0f} s. The same command goes on; "
                "start_limit_s=… gives it longer."
            ) from error
        if done.returncode:
            raise StageError(f"Label Studio could not make its accounts in {self.folder}:\n{done.stderr[-2000:]}")

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes] | None]:
        """The server, up and answering; ended afterwards if this call started it.

        Yields:
            its process, or None where it was already running.

        Raises:
            StageError: it does not start, or something else listens on its port.
        """
        if self.is_up():
            yield None
            return
        self._prepare()
        self.check_port()
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [
                    str(self.environment / "bin" / "label-studio"),
                    *("start", "--no-browser", "--internal-host", self.host, "--port", str(self.port)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,  # Ctrl-C reaches this process only, which then ends the server in good order
                preexec_fn=die_with_parent,
            )
        try:
            self._wait(process)
            yield process
        finally:
            end_tree(process.pid)
            process.wait()

    def until_ended(self, process: subprocess.Popen[bytes] | None) -> None:
        """Wait while a server that `running` started runs; one that ran before is not waited for.

        Raises:
            StageError: it has ended by itself.
        """
        while process is not None and process.poll() is None:
            time.sleep(_POLL_S)
        if process is not None:
            raise StageError(f"Label Studio has ended, see {self.log}. The same command goes on.")

    def check_port(self) -> None:
        """See whether the server can listen, before minutes are spent on its database.

        Raises:
            StageError: something else listens on its port.
        """
        with socket.socket() as probe:
            taken = probe.connect_ex((self.url.split("/")[2].split(":")[0], self.port)) == 0
        if taken and not self.is_up():
            raise StageError(f"port {self.port} is taken by something else. Choose another with port=….")

    def _prepare(self) -> None:
        if not (self.environment / "bin" / "label-studio").is_file():
            raise StageError(f"{self.environment} holds no Label Studio. Run `make label-studio-env` first.")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # the database holds the tokens

    def is_up(self) -> bool:
        """Whether a Label Studio answers at the address."""
        try:
            answer = httpx.get(f"{self.url}/health", timeout=5, trust_env=False)
            return answer.status_code == 200 and answer.json().get("status") == "UP"
        except (httpx.HTTPError, ValueError):
            return False

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        started = time.monotonic()
        with tqdm(desc="label-studio starts", unit=" s", total=self.limit_s, bar_format="{desc}: {n:.0f} s") as bar:
            while not self.is_up():
                if process.poll() is not None:
                    raise StageError(
                        f"Label Studio ended while starting. The last lines of {self.log}:\n{tail(self.log)}"
                    )
                if (waited := time.monotonic() - started) > self.limit_s:
                    raise StageError(f"Label Studio did not answer within {self.limit_s:.0f} s, see {self.log}.")
                bar.update(waited - bar.n)
                time.sleep(_POLL_S)

    def _environment(self) -> dict[str, str]:
        """Nothing leaves this machine, nobody signs up by themselves, other sites' pages may not call it."""
        hosts = "*" if self.host == "0.0.0.0" else ",".join(dict.fromkeys([self.host, "127.0.0.1", "localhost"]))
        own: Mapping[str, str] = {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder.resolve()),
            "LATEST_VERSION_CHECK": "false",
            "COLLECT_ANALYTICS": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
            "LABEL_STUDIO_ALLOWED_HOSTS": hosts,
            "LABEL_STUDIO_CORS_ALLOW_ALL_ORIGINS": "false",
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        }
        # What belongs to our environment would be found before its own.
        inherited = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return {**inherited, **own}


def accounts(file: Path, names: Sequence[str]) -> dict[str, Annotator]:
    """The accounts of a file by name, with new ones for names that have none.

    Passwords and tokens are made at random; the file is readable by its owner only.

    Raises:
        StageError: the file is damaged.
    """
    known: dict[str, Annotator] = {}
    if file.is_file():
        try:
            known = {entry["name"]: Annotator(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))}
        except (json.JSONDecodeError, TypeError, KeyError) as error:
            raise StageError(f"{file}: {error!r}, expected the accounts that were written here") from error
    missing = [name for name in names if name not in known]
    known |= {
        name: Annotator(name, f"{name}@annotators.local", secrets.token_urlsafe(9), secrets.token_hex(20))
        for name in missing
    }
    if missing:
        with replacing(file) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps([asdict(annotator) for annotator in known.values()], indent=1) + "\n")
    return known


_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True)
class LabelStudio:
    """A Label Studio as one account sees it.

    Attributes:
        url: where it listens.
        token: the account's.
    """

    url: str
    token: str

    def project(self, title: str, page: str, instructions: str) -> int:
        """The id of the account's project of this title; made where there is none, its page brought up to date.

        Args:
            title: its name.
            page: the labelling configuration.
            instructions: HTML shown before the first task.
        """
        settings = {
            "title": title,
            "label_config": page,
            "expert_instruction": instructions,
            "show_instruction": True,
            "sampling": "Sequential sampling",
            "show_skip_button": True,
            "skip_queue": "IGNORE_SKIPPED",
            # A page whose order is right as it is shown can be submitted as it is.
            "enable_empty_annotation": True,
            "maximum_annotations": 1,
        }
        found = [project["id"] for project in self._projects() if project["title"] == title]
        method, path = ("PATCH", f"/api/projects/{found[0]}/") if found else ("POST", "/api/projects/")
        return int(self._call(method, path, settings)["id"])

    def add_tasks(self, project: int, tasks: Sequence[Mapping[str, Any]], key: str = "page") -> int:
        """Import the tasks that the project does not have yet; how many those were.

        Args:
            tasks: each with its ``data`` and, where the page starts with something, its ``predictions``.
            key: of the data, by which a task is known.
        """
        there = self._call("GET", f"/api/projects/{project}/export?exportType=JSON&download_all_tasks=true")
        known = {task["data"][key] for task in there}
        missing = [dict(task) for task in tasks if task["data"][key] not in known]
        if missing:
            self._call("POST", f"/api/projects/{project}/import", missing)
        return len(missing)

    def tasks_with_annotations(self, title: str) -> list[dict[str, Any]]:
        """The tasks that were worked on, in Label Studio's JSON export.

        Raises:
            StageError: the account has no project of this title.
        """
        if (project := self.find_project(title)) is not None:
            return list(self._call("GET", f"/api/projects/{project}/export?exportType=JSON"))
        raise StageError(f"no project {title!r} in this account. Start the pages first: action=start.")

    def find_project(self, title: str) -> int | None:
        """The id of the account's project of this title; None where there is none."""
        return next((int(project["id"]) for project in self._projects() if project["title"] == title), None)

    def _projects(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/api/projects/?page_size=1000")["results"])

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        try:
            # trust_env: a proxy of this machine is not for its own loopback.
            answer = httpx.request(
                method,
                self.url + path,
                json=content,
                headers={"Authorization": f"Token {self.token}"},
                timeout=_TIMEOUT_S,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            raise StageError(f"Label Studio, {method} {path}: {error!r}. Is the server still running?") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise StageError(
                f"the Label Studio at {self.url} does not know this account: it belongs to another run. "
                "Choose another port=… ."
            )
        if answer.is_error:
            raise StageError(f"Label Studio, {method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()
