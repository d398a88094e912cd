"""What a StatefulSet promises: members by name, in order, with their claims and writes."""
