"""Who may ask: key and secret, as HTTP's Basic scheme carries them; and URLs that carry their own permission."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import string
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec

from ...converters.files import appearing_whole
from .database import now

_ALPHABET = string.ascii_lowercase + string.digits
_EXPIRY, _SIGNATURE = "se", "sig"  # Azure's names: its client library drops parameters it does not know


class Credentials(msgspec.Struct, frozen=True):
    """What the Authorization header of every call must hold."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "Credentials(...)"

    def allow(self, authorization: str | None) -> bool:
        """Whether `Basic base64(key:secret)` is of these; the time it takes tells nothing."""
        expected = b"Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode())
        return hmac.compare_digest(expected, (authorization or "").encode("utf-8", "replace"))


def kept_credentials(path: Path) -> Credentials:
    """Those in the file at `path`, which a shell can read (`. FILE`); made, readable by this user only, if there is
    none. They look like the service's own.
    """
    if path.is_file():
        lines = (line.removeprefix("export ").partition("=") for line in path.read_text("utf-8").splitlines())
        found = {name: value for name, _, value in lines}
        if found.get("METALAKE_API_KEY") and found.get("METALAKE_SECRET"):
            return Credentials(found["METALAKE_API_KEY"], found["METALAKE_SECRET"])
    made = Credentials("key_" + _random(28), _random(40))
    text = f"export METALAKE_API_KEY={made.key}\nexport METALAKE_SECRET={made.secret}\n"
    with appearing_whole(path) as temporary, open(temporary, "x", encoding="utf-8", opener=_for_this_user) as file:
        file.write(text)
    return made


class Signer:
    """Signs a method, a path and parameters together with the time until which they hold (HMAC-SHA-256)."""

    def __init__(self, secret: str, life: float) -> None:
        self._secret = secret.encode()
        self._life = life

    def sign(self, method: str, path: str, **parameters: str | int) -> str:
        """Path and query. `path` is plain text and comes out percent-encoded."""
        values = {name: str(value) for name, value in parameters.items()}
        values[_EXPIRY] = str(int(now() + self._life))
        values[_SIGNATURE] = self._signature(method, path, values)
        return f"{quote(path)}?{urlencode(values)}"

    def holds(self, method: str, path: str, query: Mapping[str, str], *, unsigned: frozenset[str]) -> bool:
        """Whether we signed this and its time has not passed. Parameters in `unsigned` are the client's own."""
        signed = {name: value for name, value in query.items() if name not in unsigned}
        given = signed.pop(_SIGNATURE, "")
        if not hmac.compare_digest(self._signature(method, path, signed).encode(), given.encode("utf-8", "replace")):
            return False
        return signed[_EXPIRY].isdecimal() and now() < int(signed[_EXPIRY])

    def _signature(self, method: str, path: str, values: Mapping[str, str]) -> str:
        text = "\n".join([method, path, urlencode(sorted(values.items()))])
        return hmac.new(self._secret, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _for_this_user(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
