"""ray: engines and fronts on a cluster of machines, placed, replaced and scaled by Ray Serve."""
