"""What all tests share: the project's root, the real data beside it, and how hypothesis runs."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from annolake.converters import parallel

pytest_plugins = ["annolake.converters.testing.accepting"]

# No deadline and no complaint about slow examples: a busy machine is not a defect. On the build machine the
# same examples every time, so that a red run there can be repeated anywhere.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("house"), derandomize=True)
settings.register_profile("thorough", settings.get_profile("house"), max_examples=2500)
settings.load_profile("ci" if os.environ.get("CI") else "house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="run the long forms of the fault tests, too")
    parser.addoption("--engines", action="store_true", help="run what needs a cluster or object storage, too")
    parser.addoption("--no-skips", action="store_true", help="a test that would be skipped fails: all is there")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and --no-skips was given: {report.longrepr}"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long forms (marked `torture`), and `engines`, are left out unless somebody has asked for them."""
    for name in ("torture", "engines"):
        if not config.getoption(f"--{name}"):
            left_out = [item for item in items if item.get_closest_marker(name)]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker(name)]


@pytest.fixture(scope="session", autouse=True)
def no_state_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Journals of uploads are not kept where those of the user are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state-home")))
        yield


@pytest.fixture(scope="session", autouse=True)
def as_many_processes_as_are_wanted() -> Iterator[None]:
    """However small a data set is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "WORTH_A_PROCESS", 1)
        patch.setattr(parallel, "SHORTEST", 2)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def realdata(root: Path) -> Path:
    """The real data sets beside the project, or where ANNOLAKE_REALDATA says; skips where they are absent."""
    folder = Path(os.environ.get("ANNOLAKE_REALDATA", root.parent / "shared" / "realdata"))
    if not (folder / "index.json").is_file():
        pytest.skip("the real data sets are not beside the project")
    return folder
