"""A saboteur is caught by its own promise, at work, in a sound drill; and the score says how sure that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.checks.finding import Finding, Verdict, Weight
from harness.errors import UsageError
from harness.saboteurs.bound import lower_bound, upper_bound
from harness.saboteurs.code_state import code_state
from harness.saboteurs.declared import Declared, chosen
from harness.saboteurs.plan import sample_of
from harness.saboteurs.score import score_of
from harness.saboteurs.tried import Outcome, Tried, TriedFile, outcome_of

_PLANTED = '{"saboteur": "thief", "what": "planted", "about": "shop.till", "pid": 7}\n'
_ACTED = '{"saboteur": "thief", "what": "acted", "about": "", "pid": 7}\n'
_OTHER = _ACTED.replace("thief", "liar")


def _declared(name: str = "thief", kind: str = "money") -> Declared:
    return Declared(
        name=name,
        about="Money is gone.",
        kind=kind,
        promise="money-once",
        scenarios=("calm",),
        targets=("shop.till",),
        restarts=(),
    )


def _finding(check: str, weight: Weight) -> Finding:
    return Finding(check, weight, "money is gone", "10", "0")


def _tried(outcome: Outcome, *, saboteur: str = "thief", scenario: str = "calm", nth: int = 1) -> Tried:
    return Tried(
        saboteur=saboteur,
        kind="money",
        promise="money-once",
        scenario=scenario,
        nth=nth,
        code="abc",
        outcome=outcome,
        verdict=Verdict.FAIL,
        took_s=1.0,
        evidence="",
    )


@pytest.mark.parametrize(
    ("notes", "verdict", "check", "weight", "outcome"),
    [
        (_PLANTED + _ACTED, Verdict.FAIL, "money-once", Weight.SAFETY, Outcome.CAUGHT),
        (_PLANTED + _ACTED, Verdict.FAIL, "money-once", Weight.LIVENESS, Outcome.CAUGHT),
        (_PLANTED + _ACTED, Verdict.FAIL, "steady", Weight.LIVENESS, Outcome.ELSEWHERE),
        (_PLANTED + _ACTED, Verdict.FAIL, "money-once", Weight.UNSOUND, Outcome.ELSEWHERE),
        (_PLANTED + _ACTED, Verdict.INCONCLUSIVE, "money-once", Weight.LIVENESS, Outcome.INCONCLUSIVE),
        (_PLANTED + _OTHER, Verdict.FAIL, "money-once", Weight.SAFETY, Outcome.NOT_ACTED),
        (_ACTED, Verdict.FAIL, "money-once", Weight.SAFETY, Outcome.NOT_PLANTED),
        ("", Verdict.FAIL, "money-once", Weight.SAFETY, Outcome.NOT_PLANTED),
    ],
)
def test_only_the_named_promise_at_work_counts(
    notes: str, verdict: Verdict, check: str, weight: Weight, outcome: Outcome
) -> None:
    """A crash, an unsound drill, another promise, or a defect that did nothing is no catch."""
    assert outcome_of(_declared(), notes, verdict, [_finding(check, weight)]) is outcome


def test_sound_pass_is_a_miss() -> None:
    """A defect that was at work in a drill that passed was missed."""
    assert outcome_of(_declared(), _PLANTED + _ACTED, Verdict.PASS, []) is Outcome.PASSED


@pytest.mark.parametrize(("hits", "tries", "share"), [(73, 73, 0.9507), (0, 10, 0.0), (8, 10, 0.4439), (1, 1, 0.025)])
def test_lower_bound_is_the_exact_one(hits: int, tries: int, share: float) -> None:
    """As published tables of Clopper and Pearson's interval have it."""
    assert lower_bound(hits, tries) == pytest.approx(share, abs=5e-5)


@pytest.mark.parametrize(("hits", "tries", "share"), [(0, 100, 0.0362), (8, 10, 0.9748), (0, 0, 1.0)])
def test_upper_bound_is_the_exact_one(hits: int, tries: int, share: float) -> None:
    """Nothing that was seen never is not proof that it cannot be."""
    assert upper_bound(hits, tries) == pytest.approx(share, abs=5e-5)


@pytest.mark.parametrize(
    ("outcomes", "sound", "exit_code"),
    [
        ([Outcome.CAUGHT], [Outcome.PASSED], 0),
        ([Outcome.CAUGHT, Outcome.PASSED], [], 1),
        ([Outcome.CAUGHT, Outcome.ELSEWHERE], [], 1),
        ([Outcome.CAUGHT, Outcome.NOT_ACTED], [], 3),
        ([Outcome.CAUGHT, Outcome.INCONCLUSIVE], [], 3),
        ([Outcome.NOT_PLANTED, Outcome.PASSED], [], 1),
        ([Outcome.CAUGHT], [Outcome.FALSE_ALARM], 1),
        ([Outcome.CAUGHT], [Outcome.INCONCLUSIVE], 3),
    ],
)
def test_exit_code_says_whether_all_were_caught(outcomes: list[Outcome], sound: list[Outcome], exit_code: int) -> None:
    """0 all caught, 1 a miss or a false alarm, 3 where it could not be told."""
    tried = [_tried(outcome, saboteur=f"number {place}") for place, outcome in enumerate(outcomes)]
    tried += [_tried(outcome, saboteur="", nth=place) for place, outcome in enumerate(sound)]
    assert score_of(tried).exit_code == exit_code


def test_saboteur_must_be_caught_in_each_of_its_scenarios() -> None:
    """One scenario that misses it makes it a miss, with that scenario named."""
    score = score_of([_tried(Outcome.CAUGHT), _tried(Outcome.PASSED, scenario="storm")])
    assert [(each.name, each.why()) for each in score.missed] == [("thief", "storm: passed")]
    assert [(row.caught, row.planted) for row in score.rows] == [(0, 1), (0, 1)]


def test_results_are_kept_for_the_same_code(tmp_path: Path) -> None:
    """A line that was cut short is passed over, and so is what other code came to."""
    file = TriedFile(tmp_path / "tried.jsonl")
    file.add(_tried(Outcome.CAUGHT))
    with (tmp_path / "tried.jsonl").open("a") as stream:
        stream.write('{"saboteur": "thi')
    assert [each.saboteur for each in file.of_code("abc")] == ["thief"]
    assert file.of_code("def") == ()


def test_state_of_the_code_changes_with_the_code_alone(tmp_path: Path) -> None:
    """A changed module or scenario is another state; a test, a report and a text are not."""
    for folder in ("shop", "tests", "reports"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "till.py").write_text("one")
    before = code_state(tmp_path)
    for name in ("tests/till.py", "reports/till.py", "shop/notes.txt"):
        (tmp_path / name).write_text("two")
    assert code_state(tmp_path) == before
    (tmp_path / "shop" / "till.py").write_text("two")
    assert code_state(tmp_path) != before


def test_sample_is_the_same_for_a_seed() -> None:
    """A seed draws the same ones again, in their order; a count beyond them is all of them."""
    known = [_declared(f"number {place}") for place in range(20)]
    drawn = sample_of(known, 5, seed=3)
    assert len(drawn) == 5
    assert drawn == sample_of(known, 5, seed=3) != sample_of(known, 5, seed=4)
    assert [known.index(each) for each in drawn] == sorted(known.index(each) for each in drawn)
    assert sample_of(known, 50, seed=3) == tuple(known)


def test_unknown_names_and_classes_are_refused() -> None:
    """The message names what there is."""
    known = {"thief": _declared()}
    assert chosen(known, [], "money") == (known["thief"],)
    with pytest.raises(UsageError, match="no saboteur 'liar'; there are: thief"):
        chosen(known, ["liar"], None)
    with pytest.raises(UsageError, match="no saboteur of the class 'time'; classes are: money"):
        chosen(known, [], "time")
