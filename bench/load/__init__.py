"""An open-loop load generator: requests come when a schedule says, whether or not earlier ones were answered."""
