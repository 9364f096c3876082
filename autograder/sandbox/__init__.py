"""Where student cells run: a jailed warm process that forks a single-use child for every submission.

`warm` starts it in the `jail`, where `zygote` imports once and forks. A supervisor keeps `watch` over each child, which `confine`
confines. `child` and `ipython` are the kernel in it, our only code beside a student's objects; `rehearsal` prepares that kernel.
`kernel` is the judge's end of the line, `wire` what crosses it, and `ends` how a request can fail.
"""
