"""Where student cells run. `warm` starts one jailed process that imports once (`zygote`) and forks a single-use child for
every submission, shut in by `confine`; `child` is the IPython kernel in it, the only code of ours beside a student's
objects. `kernel` is the other end, in the judge's process.
"""
