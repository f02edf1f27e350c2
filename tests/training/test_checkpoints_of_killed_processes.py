"""A run goes on in another process than it began in, to the very bits of one that was left alone, also where kill -9 ended it."""

import json
import signal
from pathlib import Path

import pytest

from tests.helpers import python
from tests.tools.interrupting import Whole, in_attempts, require_same_outcome, resumed_at, told
from tests.tools.variants import variants
from tl_core.events import Epoch, Event, Step
from tl_core.spec import RunSpec
from tl_core.system.settings import CHECKPOINT_VARIABLE
from tl_core.training.freezing import digests

pytestmark = [pytest.mark.process, pytest.mark.graph]

ATTEMPT = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from tests.tools.interrupting import Attempt, at_step
from tests.tools.toy import alternating
from tl_core.training import checkpoints
from tl_core.training.checkpoints import Checkpoints
from tl_core.events import Epoch, Step
from tl_core.training.freezing import digests
from tl_core.training.train import train

folder, last, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

class Printed(Attempt):
    def __call__(self, event):
        print(event.kind, json.dumps(event.values()), flush=True)
        super().__call__(event)
        if isinstance(event, Step) and event.step == last:
            if how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            np.savez = half
        if isinstance(event, Epoch) and event.step == 9 and how == "killed as an epoch ends":
            os.kill(os.getpid(), signal.SIGKILL)

def half(path, **arrays):
    savez(path, **arrays)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

savez = np.savez
checkpoints.COST_FACTOR = 0  # with no seconds between them either: one at every moment
with alternating() as spec:
    outcome = train(spec, Printed(at_step(last if how == "paused" else 0)), Checkpoints(folder))
    print("digests", json.dumps(digests(outcome.model)))
"""


def told_by(output: str) -> list[Event]:
    """The steps and epochs that a process printed."""
    kinds: dict[str, type[Event]] = {"step": Step, "epoch": Epoch}
    lines = [line.partition(" ") for line in output.splitlines()]
    return told([kinds[kind](**json.loads(values)) for kind, _, values in lines if kind in kinds])


def test_in_other_processes(whole: Whole, tmp_path: Path) -> None:
    paused = python(ATTEMPT, tmp_path, 8, "paused")
    assert paused.err.endswith("tl_core.errors.Paused\n")
    done = python(ATTEMPT, tmp_path, 0, "finished")
    assert done.code == 0, done.err
    assert told_by(paused.out) + told_by(done.out) == told(whole[0])
    assert f"digests {json.dumps(digests(whole[1].model))}\n" in done.out


HOW = [("killed", 9), ("killed while it writes", 9), ("killed as an epoch ends", 8)]


@pytest.mark.parametrize(("how", "step"), variants(HOW, HOW[1:2]))
def test_killed(whole: Whole, spec: RunSpec, tmp_path: Path, how: str, step: int) -> None:
    """What came after the last whole checkpoint comes again, and alike."""
    done = python(ATTEMPT, tmp_path, 10, how, **{CHECKPOINT_VARIABLE: "0"})
    assert done.code == -signal.SIGKILL, done.err
    assert len(list(tmp_path.glob(".partial-*"))) == (how == "killed while it writes")
    (attempt,), outcome = in_attempts(spec, tmp_path, [])
    require_same_outcome(whole[1], outcome)
    assert resumed_at([attempt]) == [step]
    still_true = [event for event in told_by(done.out) if event.step <= step]  # type: ignore[attr-defined]
    assert still_true + told(attempt) == told(whole[0])
