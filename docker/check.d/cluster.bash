# The part `cluster`: a Ray cluster of a head and two nodes, one of which is killed under requests. Sourced by docker/check.

check_cluster() {
  local text
  RAY_AUTH_TOKEN=$(od -An -N 16 -tx1 /dev/urandom | tr -d " \n")
  export RAY_AUTH_TOKEN
  fresh_stack
  url="http://127.0.0.1:$HEED_CLUSTER_PORT"
  build head
  say "image built: $(($(docker image inspect --format '{{.Size}}' "heed-ray:$HEED_TAG") / 1000000)) MB"
  up head worker
  say "a head and two nodes are healthy after $((SECONDS - up_at)) s"
  timeout 120 docker compose run --rm --no-deps deploy >"$work/deploy.log" 2>&1 || { tail -n 40 "$work/deploy.log" >&2; fail "not deployed"; }
  text=$(shown "$(translate)" cross) || replicas_failed "no translation"
  say "first answer $((SECONDS - up_at)) s after up: $text"
  text=$(shown "$(caption)" spatial) || replicas_failed "no caption"
  say "a caption: $text"
  node_dies
  down
}

# replicas_failed WHY: with what Ray's replicas have said
replicas_failed() {
  local container
  for container in $(compose ps --quiet head worker); do
    docker exec "$container" sh -c 'tail -n 30 /tmp/ray/session_latest/logs/serve/*.log /tmp/ray/session_latest/logs/worker-*.err' >&2 || true
  done
  fail "$1"
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
