"""What a strategy says: phases, and the schedules of their learning rates, in plain values that need no Keras."""
