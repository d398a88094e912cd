"""A trend over real runs, the later ones with a planted regression."""
