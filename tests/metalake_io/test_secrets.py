"""Nothing that is said or kept holds a secret: not errors with all that hangs on them, not reports, not `repr`."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annolake.metalake_io.client import MetaLakeClient
from annolake.schemas.errors import AnnolakeError

from .conftest import SECRETS
from .lake import KEY, SECRET, SIGNATURE, Lake
from .overheard import Heard, everything
from .wire import Answer, js, refusal

Act = Callable[[MetaLakeClient, Path, Path], Any]

UPLOAD: Act = lambda client, pictures, out: client.files.run(pictures, "image", "Demo")  # noqa: E731
DOWNLOAD: Act = lambda client, pictures, out: client.downloads.collection("c1", out)  # noqa: E731
LIST: Act = lambda client, pictures, out: client.download_files_from_metalake("image", str(out))  # noqa: E731

ECHO = f"bad key {KEY}:{SECRET} for https://h/b?{SIGNATURE} Basic {SECRETS[1]}"


@pytest.mark.parametrize("act", [UPLOAD, DOWNLOAD, LIST])
@pytest.mark.parametrize("answer", [
    Answer(drop=True), Answer(500, ECHO.encode()), refusal(400, ECHO), refusal(401, ECHO),
    js({"isSuccess": False, "message": ECHO}),
    Answer(200, b"x" * 50, cut=10), Answer(200, ECHO.encode()), Answer(302, b"", {"Location": f"file:///x?{SIGNATURE}"}),
    Answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}), js({"data": {"identifier": ECHO}}), js([ECHO]),
])  # fmt: skip
@pytest.mark.parametrize("match", ["/bucket/", "/client/(?!sdk)"])
def test_no_exception_tells_a_secret(
    client: MetaLakeClient,
    lake: Lake,
    pictures: Path,
    tmp_path: Path,
    act: Act,
    answer: Answer,
    match: str,
    no_secret_is_told: Heard,
) -> None:
    no_secret_is_told.may_hold += [tmp_path / "out" / name for name in ("Demo_x.png", "Demo/data/Demo_x.png")]
    lake.files = {"Demo_x.png": b"x"}
    lake.pages = [lake.page("Demo_x.png")]
    lake.rule(match, answer, times=10_000)
    said = ""
    try:
        result = act(client, pictures, tmp_path / "out")
        said = json.dumps(result if isinstance(result, dict) else result.as_json())
    except AnnolakeError as error:
        said = repr(pickle.dumps(error)) + everything(error)
    assert [secret for secret in SECRETS if secret in said] == []


def test_nothing_that_is_kept_tells_a_secret(client: MetaLakeClient, lake: Lake, pictures: Path) -> None:
    assert [secret for secret in SECRETS if secret in repr(client)] == []
    for path in pictures.parent.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
