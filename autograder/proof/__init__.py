"""Tests of the tests: from an instructor's notebook to a release whose tests are proven on right and wrong answers."""
