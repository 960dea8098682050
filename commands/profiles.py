"""Profiles: where a service is and how it is entered, in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import msgspec
import platformdirs

from ..converters.files import appearing_whole, local_failure, read_bytes
from ..schemas.errors import InvalidInput, Place, UsageError

DEFAULT = "default"
_LARGEST = 1 << 20


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Never shown: it holds the secret. `prefix` None is found out."""

    url: str
    api_key: str
    secret: str
    prefix: str | None = None

    def __repr__(self) -> str:
        return f"<Profile {self.url}>"


def path() -> Path:
    return Path(platformdirs.user_config_dir("annolake", appauthor=False)) / "profiles.json"


def load(name: str) -> Profile | None:
    """The profile, None if there is none. UsageError where others could read the file."""
    file = path()
    if not file.exists():
        return None
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise UsageError("profile-open", f"others can read {file}, which holds secrets", hint=f"chmod 600 {file}")
    return _all(file).get(name)


def save(name: str, profile: Profile) -> Path:
    """Keep a profile, in place of one of the same name; the file is its owner's alone from the first byte."""
    file = path()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = _all(file) if file.exists() else {}
        known[name] = profile
        with appearing_whole(file) as temporary:
            text = json.dumps(msgspec.to_builtins(dict(sorted(known.items()))), indent=2) + "\n"
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(text)
    except OSError as error:
        raise local_failure(error, file) from None
    return file


def _all(file: Path) -> dict[str, Profile]:
    try:
        return msgspec.json.decode(read_bytes(file, _LARGEST), type=dict[str, Profile])
    except (msgspec.DecodeError, UnicodeDecodeError):
        place, hint = Place(file=str(file)), "mend it, or remove it and log in again"
        raise InvalidInput("broken-profiles", "this is no file of profiles", place=place, hint=hint) from None
