"""The examination of a dataset: a button, progress, and what was found, with what to do about it."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from tl_core.analysis.statements import seconds
from tl_core.checks.advice import advice, told_all
from tl_core.checks.report import BROKEN, CONFLICTS, COPIES, Group, ImageName, Report
from tl_core.data import exclusions
from tl_core.datasets import Modality
from tl_core.metrics.balanced_accuracy import BalancedAccuracy
from tl_core.phases.phase import Balance
from tl_core.recipe import Recipe
from tl_core.runs.store import Store
from tl_core.studies.data_check import DataCheck, DataCheckResult
from tl_core.ui import formatting, session, steps
from tl_core.ui.charts import sizes
from tl_core.ui.study_panel import StudyPanel

ABOUT = (
    "Opens every image once and finds broken images, copies and near copies (across splits, too), copies with different labels, "
    "and what is repaired when images are read."
)
ABOUT_OTHERS = "Compares all of them and finds copies (across splits, too), and copies with different labels."
KINDS = {BROKEN: "Broken", COPIES: "Copies but one", CONFLICTS: "Conflicting copies"}
MOST_SHOWN = 100


def examination(recipe: Recipe) -> None:
    """Draw what is known of all examples; it is polled while they are examined."""
    about, thing = ABOUT if recipe.dataset.modality is Modality.IMAGES else ABOUT_OTHERS, recipe.dataset.thing
    st.subheader("Checks", help=about)
    panel = StudyPanel(DataCheck(), about, f"Examine all {thing}", "Examine again", "fact_check", partial(_found, recipe))
    panel.draw(recipe)


def _found(recipe: Recipe, found: DataCheckResult) -> None:
    if found.report is None:
        if found.done:
            st.caption(f"{found.done:,} of {found.images:,} {recipe.dataset.thing}")
        return
    _show(recipe, found.report)
    took = f"{found.report.examined:,} {recipe.dataset.thing}, looked at in {seconds(found.seconds)}"
    st.caption(f"{took}; sha256 of the data {found.report.digest[:16]}.")


def _show(recipe: Recipe, report: Report) -> None:
    if recipe.dataset.left_out is not None:
        st.success(told_all(report.thing), icon=":material/check_circle:")
    told = advice(report)
    if not told:
        st.success("No broken files, copies or imbalance were found.", icon=":material/check_circle:")
    for each in told:
        (st.warning if each.fix else st.info)(
            formatting.plain(each.text), icon=":material/build:" if each.fix else ":material/info:"
        )
    if any(each.uneven for each in told):
        _balancing(recipe)
    _leaving_out(recipe, report)
    if recipe.dataset.modality is Modality.IMAGES:
        _pictures(report)
    _broken(report)
    _groups("Copies across splits", [group for group in report.groups if group.crosses and not group.conflicts], report)
    _groups("Copies within a split", [group for group in report.groups if not group.crosses and not group.conflicts], report)
    _groups("Alike, with different labels", [group for group in report.groups if group.conflicts], report)


def _balancing(recipe: Recipe) -> None:
    """Draw a button that makes up for uneven classes in the draft, as far as its strategy can, and the way to the settings."""
    setting = recipe.strategy.balance_setting
    wanted = {"metric": BalancedAccuracy.name} | ({f"strategy.{setting}": Balance.LOGITS} if setting else {})
    adjusts = ", and its strategy adjusts logits by the shares of the classes" if setting else ""
    about = f"Balanced accuracy decides the next run{adjusts}."
    with st.container(horizontal=True, vertical_alignment="center", key="balancing"):
        st.button(
            "Make up for uneven classes",
            key="make_up",
            icon=":material/balance:",
            on_click=session.change,
            args=(wanted,),
            disabled=session.recipe().draft().with_settings(wanted) == session.recipe().draft(),
            help=about,
        )
        st.page_link(
            steps.STRATEGY.script, label="Settings", icon=":material/arrow_forward:", query_params=session.url_parameters()
        )


def _pictures(report: Report) -> None:
    """Draw what only pictures have: repairs, sizes, formats and mean colours."""
    if report.repaired:
        repaired = (f"{count:,} {repair} ({', '.join(report.examples[repair][:2])})" for repair, count in report.repaired.items())
        st.caption(formatting.plain(f"Repaired when they are read: {'; '.join(repaired)}."))
    if len(set(report.sizes)) > 1:
        formatting.chart(sizes.image_sizes(report.sizes), "sizes", "Width and height of the images")
    formats = ", ".join(f"{count:,} {name}" for name, count in report.formats.items())
    colours = zip(("red", "green", "blue"), report.channel_means, report.channel_deviations, strict=True)
    means = ", ".join(f"{colour} {mean:.0f} ± {deviation:.0f}" for colour, mean, deviation in colours)
    st.caption(formatting.plain(f"{formats + '. ' if formats else ''}Mean colour: {means}, of 255."))


def _leaving_out(recipe: Recipe, report: Report) -> None:
    if recipe.dataset.left_out is not None:
        change = ({"dataset.left_out": None},)
        st.button(f"Use all {report.thing} again", key="use_all", icon=":material/undo:", on_click=session.change, args=change)
        return
    offered = [kind for kind in KINDS if report.to_leave_out(kind)]
    if not offered:
        return
    chosen = st.multiselect(
        "Leave out",
        offered,
        default=offered,
        format_func=KINDS.__getitem__,
        key="leave_out_kinds",
        help="One of several copies stays, in train if one is there. Exact copies with different labels are all left out. No "
        "file is deleted. The list is kept with the run's settings, so that the run can be repeated.",
    )
    st.button(
        "Leave these out",
        key="leave_out",
        type="primary",
        icon=":material/playlist_remove:",
        disabled=not chosen,
        on_click=_leave_out,
        args=(report, chosen),
    )


def _leave_out(report: Report, kinds: Sequence[str]) -> None:
    def keep(store: Store) -> None:
        session.change({"dataset.left_out": exclusions.keep(store.home, report.to_leave_out(*kinds))})

    session.request(keep)


def _broken(report: Report) -> None:
    if report.broken:
        with st.expander(f"Broken images ({len(report.broken):,})", key="broken"):
            rows = [(each.member.split, each.member.name, each.reason) for each in report.broken[:MOST_SHOWN]]
            table = pd.DataFrame(rows, columns=["Split", "Image", "Reason"])
            st.dataframe(table, hide_index=True, width="stretch", alt="Images that cannot be read")


def _groups(title: str, groups: Sequence[Group], report: Report) -> None:
    if groups:
        with st.expander(f"{title} ({len(groups):,})", key=f"groups_{title[:12]}"):
            rows = [
                (number, "same" if group.exact else "nearly", member.split, report.class_of(member), _named(member))
                for number, group in enumerate(groups[:MOST_SHOWN], start=1)
                for member in group.members
            ]
            label = "Number" if report.of_numbers else "Labels" if report.having else "Class"
            table = pd.DataFrame(rows, columns=["Group", "Alike", "Split", label, report.one.capitalize()])
            st.dataframe(table, hide_index=True, width="stretch", alt=title)


def _named(member: ImageName) -> str:
    return f"{member.name} and {member.copies:,} more that are the same" if member.copies else member.name
