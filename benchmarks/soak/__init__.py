"""What takes hours: stages that can be interrupted at any moment, and whose results add up."""
