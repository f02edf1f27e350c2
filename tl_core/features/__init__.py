"""From images to arrays: decoded pixels at the run's size, and what a frozen network makes of them.

Only a forward pass happens here; what trains is decided by strategies and done in `training`.
"""
