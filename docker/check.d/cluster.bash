# The part `cluster`: a Ray cluster of two nodes, one of which is killed under requests. Sourced by docker/check.

check_cluster() {
  RAY_AUTH_TOKEN=$(od -An -N 16 -tx1 /dev/urandom | tr -d " \n")
  export RAY_AUTH_TOKEN
  fresh_stack
  url="http://127.0.0.1:$HEED_CLUSTER_PORT"
  build head
  say "image built: $(($(docker image inspect --format '{{.Size}}' "heed-ray:$HEED_TAG") / 1000000)) MB"
  up head worker
  say "a head and a worker are healthy after $((SECONDS - up_at)) s"
  timeout 120 docker compose run --rm --no-deps deploy >"$work/deploy.log" 2>&1 || { tail -n 40 "$work/deploy.log" >&2; fail "not deployed"; }
  say "first answer $((SECONDS - up_at)) s after up: $(shown "$(translate)" cross)"
  say "a caption: $(shown "$(caption)" spatial)"
  node_dies
  down
}

node_dies() {
  local container
  container=$(first_of worker)
  crowd 300
  strike "$container"
  nobody_lost "a node of the cluster was killed"
  until_true 60 is_back "$container" 1 || fail "the node did not come back: $(state_of "$container")"
  say "the node is back"
}
