"""Hand-made histories: builders that let a test say what happened, second by second."""
