"""What happens to single pods: they end in order, restart, are evicted, and come back."""
