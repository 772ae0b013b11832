"""Ways through the whole suite, as people and programs go them.

A package, so that the live suite that its tests share ends with them: even idle it costs a good part of a processor.
"""
