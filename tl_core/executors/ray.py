"""A Ray cluster: a run is one job of its Jobs API, which answers at the port of the head's dashboard.

The API is spoken here as it is documented, three addresses over HTTP, so that this machine needs no Ray. Ray's own client
(2.60) waits for an answer without a limit, and goes where RAY_ADDRESS points even if it is given another address. The
machines of the cluster need `requirements-ray.txt`, and the folder of the runs below the same path as here.
"""

import hashlib
import http.client
import io
import json
import os
import shlex
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

import tl_core
from tl_core.errors import ExecutorError, SettingError
from tl_core.executors import Executor, Job, register
from tl_core.system import processes, settings
from tl_core.system.files import write_whole

ADDRESS_VARIABLE, TOKEN_VARIABLE, TOKEN_FILE_VARIABLE = "RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
LOCAL_ADDRESS = "http://127.0.0.1:8265"
"""Where a head on this machine answers, unless it was told otherwise."""
ANSWER_SECONDS = 3.0
"""How long an answer may take."""
SILENCE_SECONDS = 5.0
"""How long a head that did not answer is left alone: there may be many runs to ask after."""
LOOK_SECONDS = 1.0
"""How long an answer counts."""
STOP_SECONDS = 1
"""How long Ray lets a process end by itself."""
ENDED = {"STOPPED", "SUCCEEDED", "FAILED"}
NEVER_BEGAN = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
"""What Ray says of a job that waited for a machine longer than 15 minutes (RAY_JOB_START_TIMEOUT_SECONDS of its head)."""
CODE = ".code"
"""The folder beside those of the runs that holds what the cluster's machines execute."""

_silent: dict[str, tuple[float, str]] = {}
"""Until when an address is not asked again, and why."""


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://")) or not value.partition("://")[2].strip("/"):
        raise ValueError("must begin with http:// or https://, as in http://head:8265: the port of the head's dashboard")
    return value.rstrip("/")


@register("ray")
class Ray(Executor):
    """Runs on a machine of a Ray cluster, which has a queue of its own."""

    title: ClassVar[str] = "Ray cluster"
    needs_device: ClassVar[bool] = False
    shares_store: ClassVar[bool] = False

    address: Annotated[str, AfterValidator(_address)] | None = Field(
        None,
        title="Address of the head",
        description=f"Where the head's dashboard answers, as in http://head:8265. Else {ADDRESS_VARIABLE}, or {LOCAL_ADDRESS}.",
    )
    gpus: float = Field(
        0, ge=0, le=64, title="GPUs", description="GPUs to reserve: a share of one, or a whole number. 0: none is seen."
    )
    cpus: float = Field(1, gt=0, le=1024, title="Cores", description="Processor cores to reserve.")
    memory_gb: float | None = Field(
        None,
        gt=0,
        le=1 << 16,
        title="Memory (GB)",
        description="Memory to reserve, in gigabytes. Ray counts it, but holds no run to it.",
    )
    python: str = Field("python", min_length=1, title="Python", description="The interpreter on the machines of the cluster.")

    @property
    def owns_gpus(self) -> bool:
        return self.gpus >= 1

    @model_validator(mode="after")
    def _gpus_are_whole(self) -> "Ray":
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise ValueError("Above 1, gpus must be a whole number")
        return self

    def launch(self, job: Job, held: Sequence[int] = ()) -> str:
        name = _name(job)
        wanted = {
            "submission_id": name,
            "entrypoint": self._command(job, _code(job.folder.parent)),
            "runtime_env": {"env_vars": self._environment(job)},
            "metadata": {"run": job.run_id, "attempt": str(job.attempt)},
            "entrypoint_num_cpus": self.cpus,
            "entrypoint_num_gpus": self.gpus,
            "entrypoint_memory": int((self.memory_gb or 0) * 1e9),
        }
        try:
            self._ask("/api/jobs/", wanted)
        except ExecutorError:
            if self._ask(f"/api/jobs/{name}") is None:  # else it had been launched before, and that is what was refused
                raise
        return name

    def lives(self, job: Job) -> bool:
        known = self._job(job)
        return known is not None and known.get("status") not in ENDED

    def end(self, job: Job, *, at_once: bool) -> None:
        self._ask(f"/api/jobs/{_name(job)}/stop", {})

    def forgot(self, job: Job) -> bool:
        """Return whether Ray lost it before it began: with its head, or after too long a wait for a machine."""
        known = self._job(job)
        return known is None or known.get("error_type") == NEVER_BEGAN

    def last_words(self, job: Job) -> str:
        known = self._job(job)
        if known is None:
            return "Ray has forgotten this run: its head was restarted."
        lines = [line.strip() for line in str(known.get("message") or "").splitlines() if line.strip()]
        said = lines[:1] + lines[1:][-1:]  # what happened, and the last line of what the process printed
        return f"Ray says: {' '.join(said)[:500]}" if said else ""

    def _command(self, job: Job, code: Path) -> str:
        """Return the command for a shell. What goes wrong before Python has begun is to be seen in the log too."""
        words = [self.python, str(code), "work-apart", str(job.folder), str(job.attempt)]
        return f"exec {shlex.join(words)} >> {shlex.quote(str(job.log))} 2>&1"

    def _environment(self, job: Job) -> dict[str, str]:
        """Return what the process sees. Ray hides no GPU from those that asked for none."""
        hidden = {} if self.gpus else {"CUDA_VISIBLE_DEVICES": ""}
        shared = {settings.RUNS_VARIABLE: str(job.folder.parent)}  # where a teacher, or a run to start from, is found
        return {**processes.QUIET, **job.environment, **shared, **hidden, "RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)}

    def _where(self) -> tuple[str, str | None]:
        """Return where the head answers, and the token that it asks for: only the address that came with the token gets it.
        Raises `SettingError`."""
        given = os.environ.get(ADDRESS_VARIABLE) or LOCAL_ADDRESS
        try:
            ours = LOCAL_ADDRESS if given == "auto" else _address(given)
        except ValueError as error:
            raise SettingError(f"The variable {ADDRESS_VARIABLE} {error}.", received=given) from None
        address = self.address or ours
        return address, _token() if address == ours else None

    def _job(self, job: Job) -> dict[str, Any] | None:
        """Return what Ray knows of `job`, at most `LOOK_SECONDS` ago; None where it knows nothing."""
        return _known(self, _name(job), int(time.monotonic() / LOOK_SECONDS))

    def _ask(self, path: str, send: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Return the head's answer; None where it knows no such job. Raises `ExecutorError` where there is none to be had."""
        address, token = self._where()
        until, why = _silent.get(address, (0.0, ""))
        if time.monotonic() < until:
            raise _unreachable(address, why)
        try:
            return _answer(address + path, token, send)
        except urllib.error.HTTPError as error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                return None
            raise _refused(address, error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            why = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
            _silent[address] = time.monotonic() + SILENCE_SECONDS, why
            raise _unreachable(address, why) from None


@lru_cache(maxsize=256)
def _known(ray: Ray, name: str, _second: int) -> dict[str, Any] | None:
    return ray._ask(f"/api/jobs/{name}")


def _answer(url: str, token: str | None, send: Mapping[str, Any] | None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if send is None else json.dumps(send).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310  # the address was checked: http or https
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
        answer = json.load(response)
    if not isinstance(answer, dict):
        raise ValueError("what answers there is not Ray's Jobs API")
    return answer


def _unreachable(address: str, why: str) -> ExecutorError:
    return ExecutorError(
        f"The Ray cluster does not answer ({why}).",
        f"Start its head, or name the address of its dashboard in {ADDRESS_VARIABLE}.",
        received=address,
    )


def _refused(address: str, error: urllib.error.HTTPError) -> ExecutorError:
    if error.code in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        next_step = f"Give the token of that cluster in {TOKEN_VARIABLE}, and its address in {ADDRESS_VARIABLE}."
        return ExecutorError(f"The Ray cluster does not let this machine in ({error}).", next_step, received=address)
    lines = error.read().decode("utf-8", errors="replace").strip().splitlines()
    said = ": ".join(filter(None, (str(error), lines[-1][:300] if lines else "")))
    return ExecutorError(f"The Ray cluster refused ({said}).", "The logs of its head say more.", received=address)


def _token() -> str | None:
    """Return the token of the cluster, found where Ray itself looks for it; None where there is none."""
    given = os.environ.get(TOKEN_VARIABLE)
    if given:
        return given.strip()
    file = settings.absolute(os.environ.get(TOKEN_FILE_VARIABLE) or "~/.ray/auth_token")
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


SHIPPED = {".py", ".csv"}
"""Endings of the files that a run needs: the code, and tables that it reads."""


def _name(job: Job) -> str:
    """Return the name of an attempt. Ray takes a name only once, so launching an attempt twice starts one process."""
    return f"{job.run_id}-{job.attempt}"


def _code(folders: Path) -> Path:
    """Return this very package as one file that Python executes, where all machines see it. Raises `StorageError`."""
    archive = _archive()
    file = folders / CODE / f"{hashlib.sha256(archive).hexdigest()[:16]}.pyz"
    if not file.is_file():
        file.parent.mkdir(exist_ok=True)
        write_whole(file, lambda path: path.write_bytes(archive))
    return file


@cache
def _archive() -> bytes:
    package, buffer = Path(tl_core.__file__).parent, io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(file for file in package.rglob("*") if file.suffix in SHIPPED):
            entry = zipfile.ZipInfo(str(file.relative_to(package.parent)))  # of 1980, so that equal code is an equal file
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("__main__.py"), "from tl_core.__main__ import app\n\napp()\n")
    return buffer.getvalue()
