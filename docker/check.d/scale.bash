# The part `scale`: two containers behind one port, killed and replaced under requests. Sourced by docker/check.

check_scale() {
  export HEED_CPUS=1 HEED_ENGINES=1
  fresh_stack -f docker/scale.yaml
  build heed
  stand_in haproxy
  up --scale heed=2 heed balancer
  shown "$(translate)" cross >/dev/null
  say "two containers behind one port answer"
  replica_dies
  replicas_are_replaced
  down
  unset HEED_CPUS HEED_ENGINES
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
