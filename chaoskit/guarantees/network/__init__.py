"""What becomes of packets and names: guarantees about the network between nodes."""
