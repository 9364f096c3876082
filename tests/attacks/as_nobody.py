"""Run a command as an ordinary user: `python as_nobody.py COMMAND...`, by root.

An interpreter below a private home is out of that user's reach. So, in a mount namespace of this process alone, the first
private folder on the way to it is covered by an empty one that anyone may pass, and the interpreter is bound back below.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from autograder.sandbox import confine

NOBODY = 65534


def main() -> None:
    confine.unshare_mounts()
    for needed in {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), Path(__file__).resolve().parents[2]}:
        private = next((above for above in reversed(needed.parents) if above.stat().st_mode & 1 == 0), None)
        if private:
            aside = tempfile.mkdtemp()
            confine.mount(str(needed), aside, None, confine.MS_BIND | confine.MS_REC, "")
            confine.mount("tmpfs", str(private), "tmpfs", 0, "mode=755")
            needed.mkdir(parents=True)
            confine.mount(aside, str(needed), None, confine.MS_MOVE, "")
            Path(aside).rmdir()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  (the command is ours, and needs no shell)


if __name__ == "__main__":
    main()
