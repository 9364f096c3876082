"""Drops root's rights, if it has them, before any student code can run, then becomes bwrap.

Usage: `python -m autograder.sandbox.launch STAGE {NAME: SOURCE, ...} COMMAND...`

A process that is root in a jail is still root on the host if it ever gets out. But an ordinary user cannot read an interpreter
below a private home (root's own, as with pyenv). So every folder that the jail shows is first bound to a place in STAGE that
anyone may read, in a mount namespace of this process only.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from autograder.sandbox import confine

NOBODY = 65534


def main() -> None:
    """Become the command, as an ordinary user. Raises OSError if the host refuses a mount or the change of user."""
    stage, sources, *command = sys.argv[1:]
    if os.getuid() == 0:
        confine.unshare_mounts()
        confine.mount("tmpfs", stage, "tmpfs", confine.MS_NOSUID | confine.MS_NODEV, "mode=755")
        for name, source in json.loads(sources).items():
            target = Path(stage, name)
            target.mkdir()
            confine.mount(source, str(target), None, confine.MS_BIND | confine.MS_REC, "")
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execv(command[0], command)  # noqa: S606  (the command is ours, and needs no shell)


if __name__ == "__main__":
    main()
