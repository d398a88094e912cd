"""The sampler's process: a second witness beside the load, steady, slow, and without Locust.

It sends 20 requests a second on each stream, whatever the load does, and shares nothing with the
driver but the schedule and the rules for outcomes: sockets, event loop and parser are others, so
that a fault of one of them shows as disagreement (design D9).
"""
