"""Fifteen bugs, one at a time, in a copy of the tree: each must be caught by a test, or the tests are too weak.

    python -m tests.faults.seeded_bugs [--only NUMBER]

A bug is a piece of text that stands once in a file and becomes another. The tree itself is never touched. First the
chosen tests must pass without any bug; a test that does not end with one has caught it, too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "converters", "metalake_io", "commands")
SECONDS = 240
"""For the tests of one bug."""


@dataclass(frozen=True)
class Bug:
    """`tests` are what is expected to catch it."""

    what: str
    file: str
    right: str
    wrong: str
    tests: str


BUGS = (
    Bug(
        "no time-out",
        "metalake_io/transfer/sockets.py",
        "timeout=request.idle,",
        "timeout=None,",
        "tests/metalake_io/test_sockets.py -k no_answer_in_time",
    ),
    Bug(
        "`isSuccess: false` is a success",
        "metalake_io/service.py",
        "if is_object(plain) and _says_no(plain):",
        "if False and _says_no(plain):",
        "tests/metalake_io/test_calls.py tests/metalake_io/test_uploads.py",
    ),
    Bug(
        "a file that is there is the right one",
        "metalake_io/file_upload.py",
        "if not is_as_sent(source, before, parts):\n            return outdated(source)",
        "if False:\n            return outdated(source)",
        "tests/faults/test_changed_files.py -k a9",
    ),
    Bug(
        "no fsync",
        "metalake_io/landing.py",
        "os.fsync(file.fileno())",
        "pass",
        "tests/faults/test_sync.py",
    ),
    Bug(
        "a name before the proof",
        "metalake_io/landing.py",
        "self.verified = self._proved()",
        'self.verified = "none"',
        "tests/metalake_io/test_downloads.py",
    ),
    Bug(
        "a body that can be read once",
        "metalake_io/transfer/bodies.py",
        "            self._reader.close()\n        self._reader = _Reader(self, self._moved)",
        "            return self._reader\n        self._reader = _Reader(self, self._moved)",
        "tests/metalake_io/test_sockets.py",
    ),
    Bug(
        "new ids for each attempt",
        "metalake_io/annotation_wire.py",
        "_shape_id(repr((run.operation, name, number)))",
        'f"shape_{uuid.uuid4()}"',
        "tests/metalake_io/test_annotation_wire.py tests/faults/test_crash.py -k a4_or_uuids",
    ),
    Bug(
        "401 is tried again",
        "metalake_io/transfer/policy.py",
        "TRANSIENT = frozenset({408,",
        "TRANSIENT = frozenset({401, 408,",
        "tests/metalake_io/test_layers.py tests/metalake_io/test_uploads.py",
    ),
    Bug(
        "pages are not looked at",
        "metalake_io/collection_pages.py",
        "if names and names <= before:",
        "if False:",
        "tests/faults/test_pages.py",
    ),
    Bug(
        "a redirect takes the key along",
        "metalake_io/transfer/redirects.py",
        "authorised=request.authorised and same",
        "authorised=request.authorised",
        "tests/metalake_io/test_layers.py -k redirect",
    ),
    Bug(
        "the journal says done before the service does",
        "metalake_io/annotation_sending.py",
        'self._digests[name], "sent")',
        'self._digests[name], "done")',
        "tests/faults/test_unprovable.py tests/metalake_io/test_journal.py",
    ),
    Bug(
        "a full disk goes unnoticed",
        "metalake_io/landing.py",
        "            raise self._failure(error) from None",
        "            self.verified = self.verified",
        "tests/faults/test_this_computer.py",
    ),
    Bug(
        "the last batch is dropped",
        "metalake_io/batches.py",
        "    if names:\n        yield Batch(names, texts)",
        "    if len(names) == most_images:\n        yield Batch(names, texts)",
        "tests/metalake_io/test_annotations.py",
    ),
    Bug(
        "one part too few",
        "metalake_io/file_upload.py",
        "range(1, sending.count + 1)",
        "range(1, max(2, sending.count))",
        "tests/metalake_io/test_uploads.py tests/faults/test_crash.py -k part",
    ),
    Bug(
        "the log tells addresses",
        "metalake_io/transfer/logs.py",
        'logger.debug("%r: %d after %.3f s", request, response.status,',
        'logger.debug("%r: %d after %.3f s", request.url, response.status,',
        "tests/metalake_io/test_secrets.py tests/faults/test_fetching.py",
    ),
)


def copied(place: Path) -> None:
    """What git knows of the tree, and the packages once more as they are imported."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name, follow_symlinks=False)
    (place / "site" / "annolake").mkdir(parents=True)
    for package in PACKAGES:
        (place / "site" / "annolake" / package).symlink_to(place / package)


def passes(place: Path, tests: str) -> bool:
    """Whether the tests pass in the copy, in time."""
    before = os.environ.get("PYTHONPATH")
    path = os.pathsep.join(filter(None, [str(place / "site"), before]))
    words, _, keyword = tests.partition(" -k ")
    chosen = ["-k", keyword.replace("_or_", " or ")] if keyword else []
    process = subprocess.Popen(
        [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *words.split(), *chosen],
        cwd=place,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(SECONDS) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=int, metavar="NUMBER")
    given = parser.parse_args()
    chosen = [bug for number, bug in enumerate(BUGS, 1) if given.only in (None, number)]
    caught = 0
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        copied(place)
        for bug in chosen:
            path = place / bug.file
            text = path.read_text(encoding="utf-8")
            if text.count(bug.right) != 1:
                sys.exit(f"{bug.what}: {bug.file} has {text.count(bug.right)} times {bug.right!r}")
            if not passes(place, bug.tests):
                sys.exit(f"{bug.what}: the tests fail without the bug: {bug.tests}")
            path.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")
            found = not passes(place, bug.tests)
            path.write_text(text, encoding="utf-8")
            caught += found
            print(f"{'caught' if found else 'MISSED'}  {bug.what} ({bug.file})", flush=True)
    print(f"{caught} of {len(chosen)} caught")
    sys.exit(0 if caught == len(chosen) else 1)


if __name__ == "__main__":
    main()
