"""The rig as a process: prints its address, ends when its input does."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

import msgspec

from .actions import Rule
from .faultd import Faultd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--storage", choices=["AWS_S3", "GCP", "AZURE"], default="AWS_S3")
    parser.add_argument("--annotations", choices=["replace", "append"], default="replace")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--handshake", type=float, default=0.0)
    parser.add_argument("--close-after", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rules", type=Path, help="a JSON file with a list of rules")
    parser.add_argument("--forget", action="store_true", help="keep no bytes of files")
    parser.add_argument("--files", type=int, default=0, help="so many are there already, in the collection Demo")
    given = parser.parse_args()
    with Faultd(
        given.storage,
        given.annotations,
        latency=given.latency,
        handshake=given.handshake,
        close_after=given.close_after,
        seed=given.seed,
        port=given.port,
    ) as rig:
        rig.lake.forgetful = given.forget
        if given.rules:
            rig.rules += msgspec.json.decode(given.rules.read_bytes(), type=list[Rule])
        for number in range(given.files):
            rig.lake.add(f"Demo_{number:06}.png", number.to_bytes(4, "big") * 256)
        gc.disable()  # what is measured is the client, not the rig looking through all that it holds
        print(rig.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
