"""H1: whatever befalls a folder, a collection and the runs between them, nothing is lost, doubled or told wrong."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .children import Nursery
from .lifetimes import Lifetime
from .torture import of_all


@pytest.mark.parametrize(("examples", "steps"), of_all([(25, 15)], [(300, 30)]))
def test_h1_lifetimes(nursery: Nursery, examples: int, steps: int) -> None:
    """Replayed as hypothesis says in the failure."""
    Lifetime.nursery = nursery
    run_state_machine_as_test(
        Lifetime,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.parametrize(
    "seeds", [(0, 0, 0, 0, 1, 0, 56074, 469, 74597), (13933357, 2005, 56074, 46622746, 128, 27295)]
)
def test_h1_a_file_that_may_be_there_is_not_sent_whole(nursery: Nursery, seeds: tuple[int, ...]) -> None:
    """An upload taken up again: its last answer is lost, and then the question whether it is there is refused."""
    Lifetime.nursery = nursery
    life = Lifetime()
    try:
        life.begin(new=2, storage="AWS_S3", part_size=None)
        for seed in seeds:
            life.run_with_faults(seed=seed, new=2, at_once=1)
            life.what_has_arrived_stays()
    finally:
        life.teardown()
