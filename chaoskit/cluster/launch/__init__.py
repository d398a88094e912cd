"""How a cluster of containers is started, watched over, found again and removed."""
