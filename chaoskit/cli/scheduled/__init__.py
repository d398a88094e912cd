"""Definitions of scheduled runs, one form a file."""
