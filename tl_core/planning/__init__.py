"""What a run will cost, before it starts: the cost model, and what was measured of this machine."""
