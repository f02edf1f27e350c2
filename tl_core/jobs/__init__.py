"""Short work in a process of its own, and how work that failed is told."""
