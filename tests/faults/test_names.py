"""Names from the service are never trusted, and names that this computer allows go there and come back."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io import localnames
from annolake.metalake_io.errors import ServiceRefused
from annolake.metalake_io.exporting import Wishes, export

from ..metalake_io.trees import tree
from ..metalake_io.wire import js
from .desk import Connect
from .faultd import Faultd
from .pictures import png

NOWHERE = [
    "", ".", "..", "/", "//etc/evil", "/etc/evil", "../evil", "../../evil", "a/../../evil", "a/../evil", "./evil",
    "a//b", "a/", "C:\\evil", "\\evil", "\\\\host\\share\\evil", "..\\evil", "a\\..\\..\\evil",
    "file:///etc/evil", "evil\0.png", "evil\n.png", "evil\r.png", "evil\t.png", "\x1b[31mevil", "\x7fevil",
    "\x9b31mevil", "evil\u2028", "evil\u2029", "x" * 300, "é" * 150, "a/" + "x" * 256, ".annolake-export.json",
    ".Annolake-work/evil", ".annolake-0.part",
]  # fmt: skip
"""Names that are no files on any system: they lead elsewhere, drive a terminal, are too long, or are our own."""

ELSEWHERE = [
    "C:evil", "d:/evil", "CON", "NUL.jpg", "LPT1", "aux.tar.gz", "com1.png", "COM¹.png", "prn", "CONIN$",
    "nul .txt", "a.", "a ", "b./c", "a:b", "a::$DATA", "a?b", "a*b", "a|b", "a<b>c", 'a"b', "...",
]  # fmt: skip
"""Plain files here; on Windows devices, streams, or the file of another name."""

HARMLESS = ["%2e%2e%2fevil", "..%2fevil", "~", "$HOME", "-rf", ".hidden", "a b", "．．／evil"]
"""They only look like it."""

assert len({*NOWHERE, *ELSEWHERE, *HARMLESS}) >= 60


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder to write to, `world/out`, and beside it what nobody may touch."""
    (tmp_path / "world" / "out").mkdir(parents=True)
    (tmp_path / "world" / "elsewhere").mkdir()
    (tmp_path / "world" / "elsewhere" / "kept").write_bytes(b"kept")
    return tmp_path / "world"


def outside(world: Path) -> list[Any]:
    """Everything beside the folder `out`: names, inodes, sizes, times, links."""
    return sorted(_walk(world))


def _walk(world: Path) -> Iterator[Any]:
    for folder, folders, names in os.walk(world.parent):
        if Path(folder) == world:
            folders.remove("out")
        for name in [*folders, *names]:
            status = os.lstat(Path(folder, name))
            yield folder, name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_nlink


def entry(rig: Faultd, name: str, folder: str = "data") -> dict[str, Any]:
    shape = {"fileName": name, "fileDownloadFolderLocation": folder, "fileUrl": rig.lake.bucket.sign("good")}
    return {**shape, "isMediaFile": True, "rawAnnotations": {"image": name, "annotations": []}}


def page(entries: list[Any], **other: Any) -> Any:
    data = {"identifier": "c1", "groupUniqueName": "Demo", "rawFileName": "Demo.json", "nextPage": False}
    return js({"data": {**data, "resourceArray": entries, "creatableDirectories": ["../evil", "/etc/evil"], **other}})


@pytest.fixture
def hostile(rig: Faultd, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the lake answer every page of a collection, or every list, with this."""
    rig.lake.add("good", b"good")

    def answer(call: str, reply: Any, then: Any = None) -> None:
        replies = iter([reply, *([] if then is None else [then])])
        monkeypatch.setattr(rig.lake, call, lambda *_: next(replies))

    return answer


def written(world: Path, names: list[str], items: list[Any], below: str) -> None:
    """Each name is either refused and told, or is the path of a file with the right bytes."""
    states = {item.name: item.state for item in items}
    assert set(states) == set(names)
    there = {path for path in tree(world / "out") if not path.endswith("Demo.json")}
    assert there == {f"{below}{name}" for name, state in states.items() if state == "downloaded"}


@pytest.mark.parametrize("windows", [False, True])
def test_d8_hostile_names(
    rig: Faultd, connected: Connect, world: Path, hostile: Any, windows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As names of files, of a collection's and of a list's."""
    monkeypatch.setattr(localnames, "WINDOWS", windows)
    names = [*NOWHERE, *ELSEWHERE, *HARMLESS]
    refused = {*NOWHERE, *(ELSEWHERE if windows else [])}
    before = outside(world)
    hostile("page", page([entry(rig, name) for name in names]))
    report = connected().downloads.collection("c1", world / "out")
    assert {item.name for item in report.of("failed")} == refused
    written(world, names, report.items, "Demo/data/")
    listed = [{"id": name, "uniqueName": name, "url": rig.lake.bucket.sign("good")} for name in names]
    hostile("listed", js(listed), js([]))
    report = connected().downloads.all_listed(world / "out" / "list", collection_id="c1")
    assert {item.name for item in report.of("failed")} == refused
    assert outside(world) == before


@pytest.mark.parametrize("windows", [False, True])
def test_d8_hostile_folders(
    rig: Faultd, connected: Connect, world: Path, hostile: Any, windows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As names of the folder of all, of the annotation JSON, and of folders of single files."""
    monkeypatch.setattr(localnames, "WINDOWS", windows)
    before, client = outside(world), connected()
    bad = [*NOWHERE, *(ELSEWHERE if windows else [])]
    for name in bad:
        for key in ("groupUniqueName", "rawFileName"):
            hostile("page", page([entry(rig, "a.png")], **{key: name}))
            with pytest.raises(ServiceRefused, match="unsafe-name"):
                client.downloads.collection("c1", world / "out")
    folders = [name for name in bad if name.rstrip("/") != "" and name != "a/"]
    hostile("page", page([entry(rig, "a.png", folder) for folder in folders]))
    report = client.downloads.collection("c1", world / "out")
    assert {item.state for item in report.items} == {"failed"}
    assert len(report.items) == len(folders)
    assert outside(world) == before
    assert [path for path in tree(world / "out") if path != "Demo/Demo.json"] == []


@pytest.mark.parametrize("place", ["Demo", "Demo/data", "Demo/data/a", "Demo/data/a.png", "Demo/Demo.json"])
@pytest.mark.parametrize("target", ["elsewhere", "elsewhere/kept", "elsewhere/new", "/dev/full"])
def test_d8_planted_links(rig: Faultd, connected: Connect, world: Path, hostile: Any, place: str, target: str) -> None:
    """Nothing is written behind a link; one in a file's own place is replaced."""
    link = world / "out" / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(world / target)
    before = outside(world)
    hostile("page", page([entry(rig, "a.png"), entry(rig, "b.png", "data/a")]))
    try:
        report = connected().downloads.collection("c1", world / "out")
    except ServiceRefused as error:
        assert (error.code, place) == ("unsafe-place", "Demo")
    else:
        bad = {"Demo/data": ["a.png", "b.png"], "Demo/data/a": ["b.png"]}.get(place, [])
        assert [item.name for item in report.of("failed")] == bad
        assert link.is_symlink() is bool(bad)
    assert outside(world) == before


def test_names_that_the_disk_takes_for_one(
    connected: Connect, rig: Faultd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and Windows: the second would stand in the place of the first."""
    twins = ["Demo_a.png", "Demo_A.png", "Demo_\u00e4.png", "Demo_a\u0308.png"]
    for name in twins:
        rig.lake.add(name, name.encode())
    assert not localnames.takes_for_one(tmp_path)
    assert connected().downloads.collection("c1", tmp_path / "two").complete
    monkeypatch.setattr("annolake.metalake_io.downloads.takes_for_one", lambda _: True)
    report = connected().downloads.collection("c1", tmp_path / "one")
    assert [item.name for item in report.of("failed")] == ["Demo_a.png", "Demo_\u00e4.png"]
    assert "which is there already" in (report.of("failed")[0].reason or "")


def test_a_disk_that_does_not_take_the_name(
    connected: Connect, rig: Faultd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file is missing then; the run goes on."""
    for name in ("Demo_a:b.png", "Demo_c.png"):
        rig.lake.add(name, b"content")
    replace = os.replace

    def of_a_stick(source: Any, target: Any) -> None:
        if ":" in str(target):
            raise OSError(22, "Invalid argument")
        replace(source, target)

    monkeypatch.setattr(os, "replace", of_a_stick)
    report = connected().downloads.collection("c1", tmp_path)
    assert {item.name: item.state for item in report.items} == {"Demo_a:b.png": "failed", "Demo_c.png": "downloaded"}
    assert "this disk takes no file 'Demo_a:b.png'" in (report.of("failed")[0].reason or "")
    assert sorted(tree(tmp_path)) == ["Demo/Demo.json", "Demo/data/Demo_c.png"]


ODD = [
    "plain.png", "a b.png", " front.png", "hash#1.png", "query?x=1.png", "100%.png", "%41.png", "%2F.png", "a&b.png",
    "a+b.png", "a=b;c.png", "it's.png", 'say "so".png', "`x`.png", "$HOME.png", "-rf.png", "--help.png", "~.png",
    "[1].png", "{1}.png", "a,b.png", "a:b.png", "a|b.png", "a<b>.png", "back\\slash.png", "star*.png", "CON.png",
    "nul.png", "trailing..png", ".hidden.png", unicodedata.normalize("NFC", "café.png"),
    unicodedata.normalize("NFD", "café.png"), "Case.png", "case.png", "鳥.png", "👩\u200d🔬.png",
    "narrow\u202fspace.png", "right\u200fto left.png", "عربي.png", "x" * 246 + ".png", "x" * 251 + ".png",
]  # fmt: skip
TOLD = {"new\nline.png": "control characters", "C:\\drive.png": "lead elsewhere", "tab\t.png": "control characters"}
"""Names that are refused before anything is sent, because they could not come back."""


def test_d5_odd_names_there_and_back(rig: Faultd, connected: Connect, tmp_path: Path) -> None:
    source, client = tmp_path / "source", connected()
    source.mkdir()
    wanted = {name: png() + name.encode() for name in ODD}
    for name in [*ODD, *TOLD]:
        (source / name).write_bytes(png() + name.encode())
    (source / os.fsdecode(b"not utf-8 \xff.png")).write_bytes(b"x")
    report = client.files.run(source, "image", "Demo")
    failed = {item.name: item.reason or "" for item in report.of("failed")}
    assert failed.pop("not utf-8 \\udcff.png") == "its name is not UTF-8"
    assert set(failed) == set(TOLD) and all(TOLD[name] in reason for name, reason in failed.items())
    assert {one.name: one.content for one in rig.lake.objects} == {f"Demo_{name}": wanted[name] for name in ODD}

    down = client.downloads.collection("c1", tmp_path / "down")
    long = [f"Demo_{name}" for name in ODD if len(name) > 250]
    assert [item.name for item in down.of("failed")] == long, "too long with the collection's name in front"
    found = {path.removeprefix("Demo/data/Demo_"): content for path, content in tree(tmp_path / "down").items()}
    assert {name: found.get(name) for name in ODD if f"Demo_{name}" not in long} == {
        name: content for name, content in wanted.items() if f"Demo_{name}" not in long
    }

    done = export(client.parts, "c1", tmp_path / "export", "metalake", Wishes())
    assert done.files.complete
    found = {path.removeprefix("images/"): content for path, content in tree(tmp_path / "export").items()}
    there = {name: "Demo_a:b.png" if name == "a:b.png" else name for name in ODD}  # data sets take `a:` for a drive
    assert {name: found.get(there[name]) for name in ODD} == wanted
