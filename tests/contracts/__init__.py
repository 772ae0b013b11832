"""What the suite promises to whoever calls it, held against live processes.

A package, so that the live suite that its tests share ends with them: even idle it costs a good part of a processor.
"""
