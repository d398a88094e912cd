"""What a Deployment promises: its rollouts, their ends, revisions and undoing."""
