"""Defect 43: files are UTF-8 whatever the user's locale, and a byte order mark at their front is none of their text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .lake import KEY, SECRET, Lake

PROGRAM = """
import codecs, locale, sys
from annolake.metalake_io import MetaLakeClient

url, key, secret, folder = sys.argv[1:]
assert codecs.lookup(locale.getencoding()).name == "ascii"
with MetaLakeClient(key, secret, url) as client:
    data = {"json_data_file_path": f"{folder}/x.json", "operation_unique_id": "öp"}
    done = client.upload_files_to_collection(
        f"{folder}/pictures", "image", "Straße", metadata_file_path=f"{folder}/m.json", annotation_data=data
    )
    assert done["is_success"], done
    client.upload_metadata_by_unique_name(f"{folder}/m.json")
    client.upload_annotations_by_unique_name("öp", f"{folder}/x.json", False, True)
    client.download_collection("c1", custom_download_path=folder)
"""


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "mark"])
def test_files_are_utf_8_in_every_locale(lake: Lake, tmp_path: Path, pictures: Path, mark: bytes) -> None:
    """In the locale C, where the default encoding is ASCII. A file opened, or a text written, in the locale's encoding
    is an error of its own (`EncodingWarning`), even where the result would be right; so is a file that is left open.
    """
    box = {"type": "rectangle", "bbox": [1, 2, 3, 4], "label": "Vögel 鳥"}
    (tmp_path / "x.json").write_bytes(mark + text({"images": [{"image": "a.png", "annotations": [box]}]}))
    entries = {"files": [{"file": "a.png", "metadata": {"Länge": "ß", "Tags": ["naß"]}}]}
    (tmp_path / "m.json").write_bytes(mark + text(entries))
    page = lake.page("Demo_a.png")
    page["data"]["resourceArray"][0]["rawAnnotations"]["annotations"] = [box]
    lake.pages, lake.files["Demo_a.png"] = [page], b"picture"
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONWARNDEFAULTENCODING": "1",
        "PYTHONWARNINGS": "error::EncodingWarning,error::ResourceWarning",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    words = [sys.executable, str(program), lake.url, KEY, SECRET, str(tmp_path)]
    ended = subprocess.run(words, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr.decode(errors="replace")) == (0, "")
    assert set(lake.annotations) == {("a.png", "öp")}
    assert {one[0]["label"]["labelText"] for one in lake.annotations.values()} == {"Vögel 鳥"}
    assert [one["metadata"] for one in lake.metadata] == [entries["files"]] * 2
    written = (tmp_path / "Demo" / "Demo.json").read_bytes()
    assert json.loads(written.decode("utf-8"))["images"][0]["annotations"][0]["label"] == "Vögel 鳥"


def text(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
