"""The audit service: every event of the suite, once, in a tamper-evident log that operations staff read and search."""
