"""The delivery spine: which event tells whom what, and that it reaches each of them exactly once."""
