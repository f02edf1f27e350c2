"""Runs that differ in the seed alone are one side of a comparison."""

from dataclasses import replace

import pytest

from tests.tools.seeded import IMAGES, PROBE, SCRATCH, several, values
from tl_core.analysis.paired_tests import PairedTest
from tl_core.runs import seeds
from tl_core.runs.compared import ACCURACY
from tl_core.runs.store import Run


def not_asked(one: Run, other: Run) -> None:
    """Over seeds no single runs are tested."""
    pytest.fail("Single runs were tested.")


def test_seeds_that_both_sides_have_are_one_comparison(template: Run) -> None:
    probes, scratch = several(template, PROBE, 3, "p"), several(template, SCRATCH, 4, "s")
    known = values({"p0": 0.9, "p1": 0.88, "p2": 0.91, "s0": 0.8, "s1": 0.81, "s2": 0.84, "s3": 0.2})
    (match,) = seeds.matches(probes[1], [*scratch, *probes], known)
    assert [run.id for run in match.baseline] == ["p0", "p1", "p2"]
    assert [run.id for run in match.others] == ["s0", "s1", "s2"]
    (test,) = seeds.tested([match], not_asked)
    assert test and (test.seeds, test.lead) == (3, pytest.approx(0.08))
    (text,) = seeds.verdicts([match], [test], {"p0": "Probe", "s0": "Scratch"}, known, ACCURACY)
    assert text.startswith("Transfer helped: Probe (3 seeds) is better than Scratch (3 seeds) by 8.0 points in accuracy over 3 s")
    assert "a paired t test" in text


def test_a_single_run_is_held_against_that_of_its_seed(template: Run) -> None:
    probes, (scratch,) = several(template, PROBE, 3, "p"), several(template, SCRATCH, 3, "s")[2:]
    known = values({"p0": 0.9, "p1": 0.88, "p2": 0.91, "s2": 0.8})
    (match,) = seeds.matches(probes[0], [*probes, scratch], known)
    assert (match.baseline[0].id, match.others[0].id, match.over_seeds) == ("p2", "s2", None)
    alone = seeds.matches(probes[0], probes, known)
    assert [match.others[0].id for match in alone] == ["p1", "p2"]


def test_seeds_that_decide_nothing_and_other_images_are_compared_run_by_run(template: Run) -> None:
    probes, scratch = several(template, PROBE, 2, "p"), several(template, SCRATCH, 2, "s")
    same = values({"p0": 0.9, "p1": 0.9, "s0": 0.8, "s1": 0.8})
    assert [match.over_seeds for match in seeds.matches(probes[0], [*probes, *scratch], same)] == [None, None]
    elsewhere = [replace(run, test_digest="other") for run in scratch]
    known = values({"p0": 0.9, "p1": 0.8, "s0": 0.8, "s1": 0.9})
    assert len(seeds.matches(probes[0], [*probes, *elsewhere], known)) == 2


def test_what_was_repeated_with_the_same_seed_is_another_side(template: Run) -> None:
    again = replace(template, id="again")
    assert [[run.id for run in group.values()] for group in seeds.by_settings([template, again])] == [["one"], ["again"]]
    known = values({"one": 0.9, "again": 0.8})
    (match,) = seeds.matches(template, [template, again], known)
    assert seeds.tested([match], lambda one, other: PairedTest(IMAGES, 0.1, 0.01, differing=20))[0]


def test_of_several_comparisons_p_values_are_corrected(template: Run) -> None:
    others = [replace(template, id=f"o{n}", spec=PROBE.with_settings({"dataset.labels_per_class": 4 + n})) for n in range(2)]
    known = values({"one": 0.9, "o0": 0.87, "o1": 0.86})
    found = seeds.matches(template, [template, *others], known)
    tests = seeds.tested(found, lambda one, other: PairedTest(IMAGES, 0.03, 0.03, differing=20))
    assert [test and (test.corrected, test.told_apart) for test in tests] == [(0.06, False)] * 2
    text = seeds.verdicts(found, tests, {run.id: run.id for run in (template, *others)}, known, ACCURACY)[0]
    assert text.startswith("No detectable difference: one and o0 cannot be told apart on the same 200 images, which show ")
    assert "p = 0.060 by Holm among 2 comparisons" in text
