"""Who acts on runs: starts them one after the other, stops them, and mends what was left by processes that died."""
