"""What users of a service see: whether, how soon and by whom their requests are answered."""
