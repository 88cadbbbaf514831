//! Nothing: the comparison is in `tests/`. `.ci/strangers` runs it.
