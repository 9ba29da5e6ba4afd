"""What the project asks of a Label Studio over its HTTP API: one project an account, its tasks, its annotations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from common.errors import StageError

_TIMEOUT_S: Final = 120.0
_PAGE_SIZE: Final = 1000


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
        if found:
            return int(self._call("PATCH", f"/api/projects/{found[0]}/", settings)["id"])
        return int(self._call("POST", "/api/projects/", settings)["id"])

    def add_tasks(self, project: int, tasks: Sequence[Mapping[str, Any]]) -> int:
        """Import the tasks whose ``page`` the project does not have yet; how many those were."""
        known = {task["data"]["page"] for task in self._tasks(project)}
        missing = [{"data": dict(task)} for task in tasks if task["page"] not in known]
        if missing:
            self._call("POST", f"/api/projects/{project}/import", missing)
        return len(missing)

    def tasks_with_annotations(self, title: str) -> list[dict[str, Any]]:
        """The tasks that were worked on, in Label Studio's JSON export.

        Raises:
            StageError: the account has no project of this title.
        """
        for project in self._projects():
            if project["title"] == title:
                return list(self._call("GET", f"/api/projects/{project['id']}/export?exportType=JSON"))
        raise StageError(f"no project {title!r} in this account. Run `make ranking` with action=start first.")

    def _projects(self) -> list[dict[str, Any]]:
        return list(self._call("GET", f"/api/projects/?page_size={_PAGE_SIZE}")["results"])

    def _tasks(self, project: int) -> list[dict[str, Any]]:
        return list(self._call("GET", f"/api/projects/{project}/export?exportType=JSON&download_all_tasks=true"))

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        headers = {"Authorization": f"Token {self.token}"}
        try:
            # trust_env: a proxy of this machine is not for its own loopback.
            answer = httpx.request(
                method, self.url + path, json=content, headers=headers, timeout=_TIMEOUT_S, trust_env=False
            )
        except httpx.HTTPError as error:
            raise StageError(f"Label Studio, {method} {path}: {error!r}. Is the server still running?") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise StageError(
                f"the Label Studio at {self.url} does not know this account: it belongs to another study. "
                "Choose another port=… ."
            )
        if answer.is_error:
            raise StageError(f"Label Studio, {method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()
