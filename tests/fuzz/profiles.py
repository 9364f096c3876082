"""How long the fuzzers look: a few seconds each in every run of the tests, and as long as is wanted by `FUZZ=20000 make fuzz`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ", "0"))
# The everyday draws are the same in every run; the deep ones are new each time, and hypothesis prints what reproduces a finding.
fuzz = settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
# Where an example takes up to a second, for a time limit has to run out.
fuzz_slowly = settings(fuzz, max_examples=EXAMPLES // 20 or 12)
