"""Client traffic: a plan (profile), its schedule, and the process that drives it (driver)."""
