"""What the product costs and saves, measured. Each module is a command of its own."""
