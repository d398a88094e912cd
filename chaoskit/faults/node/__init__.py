"""Faults of nodes: the whole of one, its object, its components, its resources."""
