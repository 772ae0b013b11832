"""Benchmarks: each prints what was measured beside a floor measured in the same run. `make bench` runs them all."""
