"""The resilience report over time: kept runs, compared only where they can be compared."""
