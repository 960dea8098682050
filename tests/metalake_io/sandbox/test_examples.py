"""The examples that the help of the service's commands shows are run as they stand, against a sandbox."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from annolake.commands.helptext import Command
from annolake.commands.main import annolake

from ..overheard import Heard
from .wire import KEY, SECRET, Server, box, entry, running

LOCAL = {"formats", "convert", "validate", "stats", "diff"}
"""Commands that ask no service; tests/commands/test_help.py runs their examples."""

AN_ID = "654c5167a467d18f9fdb767c"
AN_ADDRESS = "https://api.example.com"


def commands(group: click.Command = annolake, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Command]]:
    """Every command below a group, by its words."""
    if not isinstance(group, click.Group):
        assert isinstance(group, Command)
        yield " ".join(path), group
        return
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        if found is not None and (path or name not in LOCAL):
            yield from commands(found, (*path, name))


COMMANDS = dict(commands())
EXAMPLES = [text for command in COMMANDS.values() for text in command.examples]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, picture: Callable[..., bytes]) -> Generator[tuple[Server, str, str]]:
    """A sandbox with the collection Demo, in which is a picture of a bird; its id, and that of its job."""
    with running(tmp_path_factory.mktemp("lake"), "--workers", "1") as server:
        there = server.upload("Demo", {"a.png": picture()}, metaDataObject={"Tags": ["old"]})
        server.annotate("yolo-1", entry(box("Bird", 1, 2, 3, 4), objectKey="Demo_a.png"))
        yield server, there["collectionId"], there["jobId"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_secret_is_told: Heard) -> Path:
    """The current folder, with what the examples speak of."""
    shape = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Bird"}
    fields = {"Place": "Winnipeg", "Tags": ["night"]}
    documents = {
        "lake.json": {"images": [{"image": "a.png", "annotations": [shape]}]},
        "metadata.json": {"files": [{"file": "a.png", "metadata": fields}]},
        "instances.json": {
            "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 20}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}],
            "categories": [{"id": 1, "name": "Bird"}],
        },
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    for folder in ("pictures", "val/images"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (40, 20)).save(tmp_path / folder / "a.png")
    (tmp_path / "runs" / "val" / "labels").mkdir(parents=True)
    (tmp_path / "runs" / "val" / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2 0.9\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    no_secret_is_told.may_hold.append(tmp_path / "config" / "annolake" / "profiles.json")
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_one(name: str) -> None:
    assert COMMANDS[name].examples
    assert all(example.startswith(f"annolake {name} ") for example in COMMANDS[name].examples)
    text = CliRunner().invoke(annolake, [*name.split(), "--help"]).stdout
    assert all(example in text for example in COMMANDS[name].examples)


@pytest.mark.parametrize("example", [text for text in EXAMPLES if not text.startswith("annolake sandbox")])
def test_it_runs(held: tuple[Server, str, str], place: Path, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    server, collection, job = held
    for name, value in (("METALAKE_URL", server.url), ("METALAKE_API_KEY", KEY), ("METALAKE_SECRET", SECRET)):
        monkeypatch.setenv(name, value)
    words = example.replace(AN_ID, job if "jobs" in example else collection).replace(AN_ADDRESS, server.url)
    done = CliRunner().invoke(annolake, shlex.split(words)[1:])
    assert (done.exit_code, done.exception) == (0, None), done.stderr


@pytest.mark.parametrize("example", [text for text in EXAMPLES if text.startswith("annolake sandbox")])
def test_a_sandbox_runs(place: Path, example: str) -> None:
    words = shlex.split(example)[1:]
    with subprocess.Popen(
        [sys.executable, "-m", "annolake.commands", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
