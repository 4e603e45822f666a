"""Shared by all tests: one thread a test process, and the real data where a machine has it.

``pytest --hypothesis-profile thorough`` tries 1,000 examples a property instead of 30.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from bandwise import jpeg
from bandwise.executors import Executor, InProcess, Processes, Ray, Threads

settings.register_profile("bandwise", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("thorough", settings.get_profile("bandwise"), max_examples=1000)
settings.load_profile("bandwise")
torch.set_num_threads(1)

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_DATA_DIR = Path(os.environ.get("BANDWISE_DATA") or REPOSITORY.parent / "shared" / "data")


NEED_EXTENSION = (
    *(f"cli/test_{name}" for name in ("encode", "experiment", "learn", "predict", "train")),
    *("data/test_files.py", "experiments/test_jpeg_training.py"),
    *("experiments/test_rate_accuracy.py", "jpeg/", "models/", "pins/test_e"),
    *(f"dataset/test_{name}" for name in ("bad_input", "dataset", "interoperability")),
    *(f"dataset/test_{name}" for name in ("transcoding", "tree", "verify")),
    *(f"learning/test_{name}" for name in ("jpeg_network", "networks", "profiles", "target")),
    *(f"test_{name}.py" for name in ("encoding", "fuzz", "guidance")),
    "training/test_examples.py",
)
"""Beginnings of the paths of tests that read or write JPEG files."""


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Skip what needs the native JPEG extension where it was not built."""
    if jpeg.available():
        return
    for item in items:
        path = item.path.relative_to(REPOSITORY / "tests").as_posix()
        if path.startswith(NEED_EXTENSION) and "no_extension" not in item.fixturenames:
            item.add_marker(pytest.mark.skip("the native JPEG extension is not built"))


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """Folder with mnist/, fashion-mnist/ and clothing128/; skips the test where it is missing."""
    missing = [
        name
        for name in ("mnist", "fashion-mnist", "clothing128")
        if not (REAL_DATA_DIR / name).is_dir()
    ]
    if missing:
        pytest.skip(
            f"real data not found: no {', '.join(missing)} in {REAL_DATA_DIR}; "
            "set BANDWISE_DATA to a folder that has them"
        )
    return REAL_DATA_DIR


@pytest.fixture(params=[InProcess(), Threads(2), Processes(2), Ray(2)], ids=str)
def executor(request: pytest.FixtureRequest) -> Executor:
    """Every executor, for the tests that all of them have to pass."""
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


@pytest.fixture(scope="session")
def documents() -> dict[Path, str]:
    """Every file of the documentation that is generated, with what it should hold."""
    sys.path.insert(0, str(REPOSITORY / "docs"))
    try:
        return dict(import_module("generate").documents())
    finally:
        sys.path.pop(0)
