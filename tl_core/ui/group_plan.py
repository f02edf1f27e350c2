"""What the group of a session's draft would take, and its start."""

from contextlib import suppress

import streamlit as st

from tl_core import datasets
from tl_core.data.label_kinds import LabelKind
from tl_core.datasets import Dataset
from tl_core.errors import TransferError
from tl_core.groups.expansion import Expansion, Shape, expand, read_shape
from tl_core.groups.group import Group
from tl_core.planning import backbone_profile
from tl_core.planning.backbone_profile import BackboneProfile
from tl_core.planning.estimate import free
from tl_core.recipe import Recipe
from tl_core.runner import group_control, group_plan
from tl_core.runner.group_plan import Plan
from tl_core.runs import groups
from tl_core.spec import PartSpec
from tl_core.system import settings
from tl_core.ui import faults, formatting, group_draft, polling, session, stored_groups
from tl_core.ui.example_sizes import typical_size


def plan_box() -> None:
    """Draw what would be done before it is, and the button that does it. It is looked at anew every two seconds until all
    networks have been measured."""
    polling.refused(group_draft.__name__)
    waiting = False
    with suppress(TransferError):  # which is said below
        waiting = _awaits_measurement(group_draft.group(session.recipe()))
    st.fragment(_box, run_every=session.POLL_SECONDS if waiting else None)(waiting)


def _box(was_waiting: bool) -> None:
    with formatting.sentence_for_mistakes():
        group = group_draft.group(session.recipe())
        plan = _plan(group)
        if was_waiting and not _awaits_measurement(group):
            st.rerun()
        for number, sentence in enumerate(plan.sentences(*free(session.store().home))):
            text = formatting.plain(sentence)
            st.markdown(f"**{text}**") if number == 0 else st.caption(text)
        label = f"Start {plan.new} run{'s' if plan.new != 1 else ''}" if plan.new else "Show them"
        about = "Put all runs that are not there yet into the queue."
        if st.button(label, type="primary", key="start_group", icon=":material/play_arrow:", help=about):
            kept = group_control.start(session.store(), group, look=typical_size, read=shape)
            session.forget_runs()
            stored_groups.look_at(kept.group_id)
            st.rerun()


def _plan(group: Group) -> Plan:
    """Return what the start of `group` would do. Raises `TransferError`, also for a place that the pages may not read."""
    home = session.store().home
    missing = list[BackboneProfile | None]()

    def measured(recipe: Recipe) -> BackboneProfile | None:
        found = BackboneProfile.read(home, recipe.backbone, recipe.input_size)
        if found is None and not missing:  # one network is measured at a time
            backbone_profile.request(home, recipe.backbone, recipe.input_size)
            missing.append(found)
        return found

    begun = groups.asking(stored_groups.listed(), group)
    return group_plan.plan(home, session.runs(), group, _expanded(group.to_yaml()), measured, begun=begun)


def _awaits_measurement(group: Group) -> bool:
    """Return whether it is still to be measured how fast a network of `group` is here."""
    members = [each.recipe for each in _expanded(group.to_yaml()).runs if each.shape]
    networks = {(recipe.backbone, recipe.input_size) for recipe in members}
    return any(BackboneProfile.read(session.store().home, *network) is None for network in networks)


@st.cache_resource(ttl=60, show_spinner=False, max_entries=32)
def _expanded(group: str) -> Expansion:
    """Return the runs that a group, as a file, comes to. Raises `TransferError`."""
    found = expand(Group.from_yaml(group), typical_size)
    for each in found.runs:
        for path in (*each.recipe.backbone.paths, *each.recipe.strategy.paths):
            settings.require_allowed(path)
    return found.readable(shape)


def shape(dataset: Dataset, seed: int) -> Shape | None:
    """Return the shape of a dataset as it was within the last minutes. Raises `DataError`, and `SettingError` for a place that
    the pages may not read."""
    for path in dataset.paths:
        settings.require_allowed(path)
    with faults.contained("the reading of this dataset"):
        return _shape(dataset.spec().content.model_dump_json(), seed, dataset.label_kind)


@st.cache_data(ttl=300, show_spinner="Reading the dataset", max_entries=512, hash_funcs={LabelKind: repr})
def _shape(spec: str, seed: int, kind: LabelKind) -> Shape | None:
    return read_shape(datasets.build(PartSpec.model_validate_json(spec)).labelled(kind), seed)
