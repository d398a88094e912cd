"""What was broken on purpose and is not mended yet: on disk, so that any process can heal it."""
