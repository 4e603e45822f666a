"""Every executor, for the tests that all of them have to pass."""

import gc
import os
import subprocess
from collections.abc import Iterator

import pytest

from bandwise.pipeline import Executor, InProcess, Processes, Ray, Threads


@pytest.fixture(params=[InProcess(), Threads(2), Processes(2), Ray(2)], ids=str)
def executor(request: pytest.FixtureRequest) -> Executor:
    chosen: Executor = request.param
    if isinstance(chosen, Ray):
        request.getfixturevalue("ray_cluster")
    return chosen


@pytest.fixture(params=[Processes(2), Ray(2)], ids=str)
def elsewhere(request: pytest.FixtureRequest) -> Executor:
    """One of those that work in other processes."""
    chosen: Executor = request.param
    if isinstance(chosen, Ray):
        request.getfixturevalue("ray_cluster")
    return chosen


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """One cluster for all tests, since starting one takes seconds, or minutes on a busy machine."""
    if os.environ.get("BANDWISE_RAY_TESTS") == "0":
        pytest.skip("BANDWISE_RAY_TESTS is 0")
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield
    ray.shutdown()
    for each in gc.get_objects():  # Ray does not wait for its own processes
        if type(each) is subprocess.Popen:  # isinstance asks, and some objects warn
            each.wait(timeout=30)
