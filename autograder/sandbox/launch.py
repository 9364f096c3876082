"""Started as root, become an ordinary user before anything of a student's can run, then become bwrap.

Root inside a jail is still root on the host if it ever gets out. But an interpreter below a private home (root's own, as
with pyenv) is out of reach for an ordinary user, so every folder that the jail shows is first bound, in a mount namespace
of this process alone, where anyone may read it: `autograder.sandbox.launch STAGE {source: ...} ARGUMENT...`.
"""

from __future__ import annotations

import json
import os
import sys

from autograder.sandbox import confine

NOBODY = 65534


def main() -> None:
    stage, sources, *command = sys.argv[1:]
    if os.getuid() == 0:
        confine.unshare_mounts()
        confine.mount("tmpfs", stage, "tmpfs", confine.MS_NOSUID | confine.MS_NODEV, "mode=755")
        for name, source in json.loads(sources).items():
            target = os.path.join(stage, name)
            os.mkdir(target)
            confine.mount(source, target, None, confine.MS_BIND | confine.MS_REC, "")
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
