"""How right a ranking was: the networks of it that were trained since, against what was foretold of them."""

from math import isnan

import pandas as pd
import streamlit as st

from tl_core.analysis import audit
from tl_core.analysis.audit import Audit, Judgement
from tl_core.analysis.comparison import MINUS
from tl_core.runs.states import State
from tl_core.runs.store import Run
from tl_core.studies._ranking_audit import audits
from tl_core.studies.backbone_ranking import BackboneRankingResult
from tl_core.ui import formatting, session
from tl_core.ui.charts.foretold import reached_against_foretold

MOST = 6
"""So many strategies, each with its settings, are shown: those with which most networks were trained."""
ABOUT = (
    "Every finished run on these very data, told by their sha256, is held against the ranking: networks trained by the same "
    "strategy with the same settings. Weighted tau is 1 where they came in the order that was foretold, and -1 in the opposite "
    "one; regret is how many points one misses who takes the network that was foretold to be the best. Beside them stands what "
    "published accuracy on ImageNet would have foretold."
)
CAUTION = (
    "Of several runs of a network their mean counts. Ranges of differences take the tests for independent, which is cautious: "
    "the test examples are the same."
)


def ranking_audit(found: BackboneRankingResult, score: str) -> None:
    """Draw how right a finished ranking was by `score`, which is a share, and by published accuracy beside it."""
    st.markdown("**How right was it?**", help=f"{ABOUT} {CAUTION}")
    if not found.data_digest:
        st.caption("This ranking did not keep which data it has seen. Rank again, and runs can be held against it.")
        return
    held = audits(found, [run for run in session.runs() if run.state is State.DONE], _data_digest)
    left_out, held = len(held[MOST:]), held[:MOST]
    foretell = audit.by_score(score)
    judged = [(each, by) for each in held if (by := each.judged(foretell))]
    if not judged:
        st.caption("Train two of these networks in the same way, and see here how right this was.")
    else:
        st.markdown("\n".join(f"- {formatting.plain(audit.verdict(each, by))}" for each, by in judged))
    if held:
        formatting.chart(
            reached_against_foretold(held, foretell), "foretold", "Accuracy of each network against what was foretold"
        )
    if judged:
        table = pd.DataFrame([_row(each, by) for each, by in judged])
        st.dataframe(table, hide_index=True, width="stretch", placeholder="\N{EN DASH}", alt="How right it was, by strategy")
    if left_out:
        st.caption(f"Runs with {left_out:,} other strategies or settings are left out; python -m tl_core audit has them all.")


def _row(each: Audit, by: Judgement) -> dict[str, object]:
    return {"Strategy": each.title, "Networks": by.networks, **_told(by, "")} | _told(each.judged(audit.published), ", ImageNet")


def _told(by: Judgement | None, how: str) -> dict[str, object]:
    tau = None if by is None or isnan(by.tau) else f"{by.tau:z.2f}".replace("-", MINUS)
    return {f"Tau{how}": tau, f"Regret{how}": None if by is None else f"{100 * by.regret:.1f} points"}


def _data_digest(run: Run) -> str:
    return _read_data_digest(run.id)


@st.cache_data(show_spinner=False, max_entries=4096)
def _read_data_digest(run_id: str) -> str:
    return session.result(run_id).data_digest
