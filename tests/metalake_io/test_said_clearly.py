"""What users met and could not make sense of: the messages name what they are about, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from annolake.commands.main import annolake

from .lake import Lake
from .settings import settings
from .wire import js, refusal

Run = Callable[..., Result]


@pytest.fixture
def run(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    settings(monkeypatch, lake.url, tmp_path)
    return lambda *words: CliRunner().invoke(annolake, [str(word) for word in words])


def put(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def pushed(run: Run, folder: Path, *names: str, collection: str = "Demo") -> Result:
    """A push of images without annotations, whose pictures are there."""
    for name in names:
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / "images" / name)
    source = put(folder / "lake.json", {"images": [{"image": name, "annotations": []} for name in names]})
    return run("push", source, "--images", folder / "images", "--collection", collection, "--operation", "op")


@pytest.mark.parametrize("fields", [{"a.b": 1}, {"Tags": "night"}, {"": "x"}, {"x": 1, "Tags": [1]}])
def test_metadata_of_a_collection_names_its_file(run: Run, lake: Lake, tmp_path: Path, fields: Any) -> None:
    path = put(tmp_path / "fields.json", fields)
    done = run("upload", "metadata", path, "--collection", "Demo", "--whole", "all")
    assert done.exit_code in (2, 4)
    assert f"at: {path}" in done.stderr
    assert lake.wire.asked == []


def test_images_that_would_be_one_file_are_named(run: Run, lake: Lake, tmp_path: Path) -> None:
    done = pushed(run, tmp_path, "a/b.png", "a_b.png", "c.png")
    assert done.exit_code == 4
    assert "'a/b.png' and 'a_b.png' would be one file, 'a_b.png'" in done.stderr
    assert lake.wire.asked == []


def test_a_picture_with_control_characters_in_its_name(run: Run, lake: Lake, tmp_path: Path) -> None:
    done = pushed(run, tmp_path, "a\x07.png")
    assert done.exit_code == 4
    assert "its name has control characters: rename it" in done.stderr
    assert "the service takes jpg" not in done.stderr
    assert lake.wire.asked == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("x" * 201, "use at most 200"), ("a\tb", "control characters: a\\tb"), (" ", "the collection is empty")],
)
def test_names_of_collections(run: Run, lake: Lake, tmp_path: Path, pictures: Path, name: str, said: str) -> None:
    uploaded = run("upload", "files", pictures, "--collection", name)
    for done in (uploaded, pushed(run, tmp_path, "a.png", collection=name)):
        assert done.exit_code == 2
        assert said in done.stderr
    assert lake.wire.asked == []


def test_the_longest_name_of_a_collection(run: Run, lake: Lake, pictures: Path) -> None:
    assert run("upload", "files", pictures, "--collection", "ü" * 200).exit_code == 0
    assert len(lake.files) == 2


def test_http_to_another_computer(run: Run) -> None:
    done = run("jobs", "wait", "j1", "--url", "http://lake.example.com")
    assert done.exit_code == 2
    assert "--insecure-http" in done.stderr


def test_what_is_missing_is_said_before_the_work(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large set may take an hour to convert."""
    monkeypatch.delenv("METALAKE_SECRET")
    done = pushed(run, tmp_path, "a.png")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: key and secret are not set")


def test_profiles_that_cannot_be_read_matter_where_they_are_needed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config" / "annolake").mkdir(parents=True)
    file = tmp_path / "config" / "annolake" / "profiles.json"
    file.write_text("{")
    file.chmod(0o600)
    assert run("jobs", "wait", "j1").exit_code == 0
    monkeypatch.delenv("METALAKE_SECRET")
    done = run("jobs", "wait", "j1")
    assert done.exit_code == 4
    assert "mend it, or remove it and log in again" in done.stderr


def test_nothing_to_do_is_no_word_for_a_failure(run: Run, lake: Lake, tmp_path: Path) -> None:
    lake.rule("GET .*getAnnotations", refusal(406, "Collection not found"))
    done = run("download", "collection", "c1", tmp_path / "out")
    assert done.exit_code == 7
    assert "nothing to do" not in done.stderr
    lake.rule("POST .*objects/list", js([]))
    assert "nothing to do" in run("download", "files", tmp_path / "out").stderr


@pytest.mark.parametrize("command", ["validate", "stats"])
def test_a_format_that_does_not_show(run: Run, tmp_path: Path, command: str) -> None:
    """The flag that is named is one that the command has."""
    done = run(command, put(tmp_path / "x.json", {"what": "is this"}))
    assert done.exit_code == 4
    assert "--format for validate and stats" in done.stderr


@pytest.mark.parametrize("name", ["out.json", "out.XML", "set.zip"])
@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_an_export_is_a_folder(run: Run, lake: Lake, tmp_path: Path, name: str, to: str) -> None:
    done = run("export", "c1", tmp_path / name, "--to", to)
    assert done.exit_code == 2
    assert f"{name} would be a folder" in done.stderr
    assert f"such as {tmp_path / name.partition('.')[0]}" in done.stderr
    assert not (tmp_path / name).exists()
    assert lake.asked("getAnnotations") == []
