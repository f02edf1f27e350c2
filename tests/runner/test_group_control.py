"""Groups of runs in the store: what is queued, what is joined, and what happens to all of them at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.groups.test_cost import PROFILE
from tests.helpers import QUICK, keep_run
from tl_core.errors import RunError, SettingError
from tl_core.groups.expansion import expand, read_shape
from tl_core.groups.group import Group
from tl_core.jobs import background
from tl_core.planning import backbone_profile
from tl_core.recipe import Recipe
from tl_core.runner import control, group_control, service
from tl_core.runner.group_plan import Plan, plan
from tl_core.runs import artifacts, deletion, groups
from tl_core.runs.groups import Kept
from tl_core.runs.states import State
from tl_core.runs.store import Store
from tl_core.runs.tables import lost_members
from tl_core.spec import RunSpec

BASE = {name: value for name, value in QUICK.dotted().items() if "." not in name or name.startswith(("dataset.", "backbone."))}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """Nothing starts what is queued there."""
    monkeypatch.setattr(service, "ensure", lambda home: None)
    return Store()


def group(name: str = "x", **axes: list[Any]) -> Group:
    return Group.parse({"name": name, "base": BASE | {"strategy.epochs": 1}, "axes": axes or {"seed": [0, 1]}})


def members(store: Store, kept: Kept) -> list[dict[str, Any]]:
    return [dict(each) for each in groups.one(store, kept.group_id).runs.values()]


def folders(store: Store) -> set[str]:
    return {folder.name for folder in store.folders.iterdir()}


def test_a_group_is_queued_in_order_and_kept(store: Store) -> None:
    kept = group_control.start(store, group())
    assert [run.spec.seed for run in store.queue()] == [0, 1]
    assert tuple(run.id for run in store.queue()) == kept.queued
    assert (kept.joined, members(store, kept)) == ((), [{"seed": 0}, {"seed": 1}])
    assert groups.one(store, kept.group_id).group == group()
    assert [each.id for each in groups.listed(Store())] == [kept.group_id]
    assert RunSpec.read(store.folder(kept.queued[1]) / artifacts.SPEC) == store.run(kept.queued[1]).spec


@pytest.mark.parametrize("state", State)
def test_a_run_that_waits_works_or_is_done_is_not_made_again(state: State, store: Store) -> None:
    keep_run(store, "there", state, Recipe.of(QUICK).spec())
    kept = group_control.start(store, group())
    is_joined = state in groups.JOINED
    assert kept.joined == ("there",) * is_joined
    assert len(kept.queued) == 2 - is_joined
    assert len(groups.one(store, kept.group_id).runs) == 2
    assert folders(store) == set(kept.queued)


def test_a_budget_begins_with_what_fits_and_more_time_goes_on(store: Store) -> None:
    asked = Group.parse({"name": "x", "base": BASE, "axes": {"seed": [0, 1], "strategy.epochs": [1, 500]}})
    recipe = Recipe.of(QUICK)
    file = backbone_profile._file(store.home, recipe.backbone, recipe.input_size)
    with pytest.raises(SettingError, match="how long it takes here is not known"):
        group_control.start(store, asked.model_copy(update={"budget": 60.0}))
    file.parent.mkdir(parents=True)
    background.write(file, PROFILE)
    with pytest.raises(SettingError, match=r"No run of this group fits.*4 runs are not started.*Received: 0.01 seconds"):
        group_control.start(store, asked.model_copy(update={"budget": 0.01}))
    assert store.runs() == []
    first = group_control.start(store, asked.model_copy(update={"budget": 60.0}))
    assert members(store, first) == [{"seed": seed, "strategy.epochs": 1} for seed in (0, 1)]
    group_control.stop(store, first.group_id)
    rest = group_control.start(store, asked)
    assert (rest.group_id, len(rest.queued)) == (first.group_id, 4)
    assert groups.one(store, first.group_id).group == asked


def test_a_budget_counts_what_the_group_has_used_and_what_it_left_out_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbone_profile.BackboneProfile, "read", lambda *_: PROFILE)
    asked = Group.parse({"name": "x", "base": BASE, "axes": {"seed": [0, 1], "strategy.epochs": [1, 500]}, "budget": 60})
    kept = group_control.start(store, asked)
    begun = groups.one(store, kept.group_id)
    assert [each.settings for each in begun.not_started] == [{"seed": seed, "strategy.epochs": 500} for seed in (0, 1)]
    for run_id in kept.queued:
        store.update(run_id, lambda _: {"state": State.DONE, "ran": 375.0})
    found = expand(asked).readable(read_shape)

    def planned(budget: float) -> Plan:
        more = asked.model_copy(update={"budget": budget})
        return plan(store.home, store.runs(), more, found, lambda _: PROFILE, begun=begun)

    (first, _) = planned(750.0).left
    assert planned(750.0).used == 750.0
    assert first.seconds
    assert [planned(750.0 + first.seconds + more).new for more in (-1.0, 1.0)] == [0, 1]
    assert "Its runs have taken about 12 min" in " ".join(planned(750.0).sentences(10**12, 10**12))
    group_control.start(store, asked.model_copy(update={"budget": None}))
    assert groups.one(store, kept.group_id).not_started == []


def test_a_run_belongs_to_several_groups_and_leaves_all_when_it_is_deleted(store: Store) -> None:
    first, second = (group_control.start(store, group(name)) for name in ("x", "y"))
    assert (second.queued, set(second.joined)) == ((), set(first.queued))
    deletion.delete(store, first.queued[0], State.QUEUED)
    assert [list(groups.one(store, kept.group_id).runs) for kept in (first, second)] == [[first.queued[1]]] * 2
    again = group_control.start(store, group("x"))  # which queues what the group lacks
    assert (again.group_id, len(again.queued), again.joined) == (first.group_id, 1, ())


def test_what_was_deleted_of_a_group_is_known_until_it_is_made_again(store: Store) -> None:
    kept = group_control.start(store, group())
    assert groups.one(store, kept.group_id).lost == []
    deletion.delete(store, kept.queued[1], State.QUEUED)
    for found in (groups.one(store, kept.group_id), *groups.listed(store)):
        assert list(found.lost) == [{"seed": 1}]
    group_control.start(store, group())
    assert groups.one(store, kept.group_id).lost == []


@pytest.mark.parametrize("with_runs", [False, True])
def test_a_group_is_deleted_alone_or_with_the_runs_that_no_other_has(with_runs: bool, store: Store) -> None:
    first, second = group_control.start(store, group()), group_control.start(store, group("y", seed=[1, 2]))
    deletion.delete_group(store, first.group_id, with_runs=with_runs)
    assert [(each.id, len(each.runs)) for each in groups.listed(store)] == [(second.group_id, 2)]
    assert {run.spec.seed for run in store.runs()} == ({1, 2} if with_runs else {0, 1, 2})
    assert len(folders(store)) == len(store.runs())
    with store.database.reading() as connection:
        assert connection.execute(lost_members.select()).all() == []  # nobody would ask for them
    with pytest.raises(RunError, match="no group of that id"):
        deletion.delete_group(store, first.group_id)


def test_a_group_whose_run_works_is_not_deleted_with_its_runs(store: Store) -> None:
    kept = group_control.start(store, group())
    assert store.change_state(kept.queued[1], [State.QUEUED], State.STARTING)
    with pytest.raises(RunError, match="cannot be deleted"):
        deletion.delete_group(store, kept.group_id, with_runs=True)
    assert len(members(store, kept)) == len(store.runs()) == 2


def test_what_was_stopped_is_resumed_and_not_queued_anew(store: Store) -> None:
    kept = group_control.start(store, group())
    control.stop(store, kept.queued[1])
    again = group_control.start(store, group())
    assert (again.group_id, again.queued, again.joined) == (kept.group_id, kept.queued[1:], ())
    assert {run.id for run in store.queue()} == set(kept.queued)


def test_all_are_paused_resumed_and_stopped(store: Store) -> None:
    kept = group_control.start(store, group())
    keep_run(store, "alone")
    for wish, state in (
        (group_control.pause, State.PAUSED),
        (group_control.resume, State.QUEUED),
        (group_control.stop, State.CANCELLED),
    ):
        wish(store, kept.group_id)
        assert {store.run(run_id).state for run_id in kept.queued} == {state}
    assert store.run("alone").state is State.QUEUED
    with pytest.raises(RunError, match="No run of this group waits or works"):
        group_control.pause(store, kept.group_id)
    with pytest.raises(RunError, match=r"no group of that id.*Received: none"):
        group_control.stop(store, "none")


def test_an_axis_is_extended_by_what_it_lacks(store: Store) -> None:
    kept = group_control.start(store, group(seed=[0, 1], image_size=[16, 24]))
    deletion.delete(store, kept.queued[0], State.QUEUED)
    more = group_control.extend(store, kept.group_id, "seed", [1, 2])
    assert len(more.queued) == 2
    assert [each["seed"] for each in members(store, kept)] == [0, 1, 1, 2, 2]
    with pytest.raises(SettingError, match="has these values already"):
        group_control.extend(store, kept.group_id, "seed", [2])
    with pytest.raises(SettingError, match=r"No further combination makes sense.*at least"):
        group_control.extend(store, kept.group_id, "image_size", [8])
    assert len(groups.one(store, kept.group_id).runs) == 5


def test_two_people_who_extend_at_once_make_nothing_twice(store: Store) -> None:
    kept = group_control.start(store, group(seed=[0, 1], image_size=[16, 24]))
    asked = [("seed", [2]), ("image_size", [32]), ("seed", [2, 3]), ("image_size", [32, 40])]

    def extend(wish: tuple[str, list[Any]]) -> int:
        try:
            return len(group_control.extend(Store(store.home), kept.group_id, *wish).queued)
        except SettingError:  # somebody was quicker with the same value
            return 0

    with ThreadPoolExecutor(len(asked)) as pool:
        queued = sum(pool.map(extend, asked))
    found = members(store, kept)
    assert 4 + queued == len(found) == 16
    assert len({(each["seed"], each["image_size"]) for each in found}) == 16
    assert len(store.runs()) == len(folders(store)) == 16


def test_two_people_who_start_the_same_group_at_once_make_one(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: group_control.start(Store(store.home), group()), range(4)))
    assert len({each.group_id for each in kept}) == len(groups.listed(store)) == 1
    assert len(store.runs()) == len(folders(store)) == 2


def test_nothing_is_kept_of_a_group_without_a_run(store: Store) -> None:
    with pytest.raises(SettingError, match="No combination of this group makes sense"):
        group_control.start(store, group(image_size=[8, 9]))
    assert (groups.listed(store), store.runs(), folders(store)) == ([], [], set())


def test_groups_go_by_name_id_or_the_end_of_it(store: Store) -> None:
    first, _ = (group_control.start(store, group(name)) for name in ("x", "y"))
    assert groups.named(store, "x").id == groups.named(store, first.group_id[-6:]).id == first.group_id
    with pytest.raises(RunError, match="The name of the group is blank"):
        groups.named(store, "")
    group_control.start(store, group("x", seed=[5, 6]))
    with pytest.raises(RunError, match="Several groups are called so"):
        groups.named(store, "x")
    with pytest.raises(RunError, match="There is no such group here"):
        groups.named(store, "z")
