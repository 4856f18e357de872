"""What is promised for when things go wrong, measured: a module for each bar."""
