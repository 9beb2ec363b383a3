# The part `scale`: two containers behind one port, killed and replaced under requests. Sourced by docker/check.

check_scale() {
  export HEED_CPUS=1 HEED_ENGINES=1
  fresh_stack -f docker/scale.yaml
  build heed
  stand_in haproxy
  up --scale heed=2 heed balancer
  shown "$(translate)" cross >/dev/null
  say "two containers behind one port answer"
  files_are_found
  replica_dies
  replicas_are_replaced
  down
  unset HEED_CPUS HEED_ENGINES
}

# Only one of the two has it: whoever is asked next must be the same.
files_are_found() {
  local i
  for i in 1 2 3 4 5 6; do
    filed "A small dog runs across the grass." || fail "file $i was not found again: $answered"
  done
  say "6 of 6 files fetched from whoever had them: $(cat "$work/filed")"
}

replica_dies() {
  local container
  container=$(first_of heed)
  crowd 200
  strike "$container"
  nobody_lost "one of two containers was killed"
  until_true 40 is_back "$container" 1 || fail "the container did not come back: $(state_of "$container")"
}

# As in an upgrade: one more container of the new kind, then the oldest is asked to leave.
replicas_are_replaced() {
  local oldest
  oldest=$(first_of heed)
  crowd 300
  up --scale heed=3 --no-recreate heed balancer
  docker stop "$oldest" >/dev/null
  docker rm "$oldest" >/dev/null
  nobody_lost "one of two containers was replaced"
}
