"""Faults of the network: links, packets and names."""
