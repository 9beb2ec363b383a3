# The stack under check: a project, tags and ports of its own; asked with curl. Sourced by docker/check.

compose() { docker compose -f compose.yaml "${more[@]}" "$@"; }

more=() # further files and profiles of the part at work
up_at=  # when `up` was called

# fresh_stack FLAG …: what the part at work runs; nobody else's containers, images or ports are touched
fresh_stack() {
  more=("$@")
  export COMPOSE_PROJECT_NAME="heed-check-$$" HEED_TAG="check-$$" HEED_ADDRESS=127.0.0.1
  HEED_PORT=$(free_port)
  HEED_CLUSTER_PORT=$(free_port)
  PROMETHEUS_PORT=$(free_port)
  export HEED_PORT HEED_CLUSTER_PORT PROMETHEUS_PORT
  url="http://127.0.0.1:$HEED_PORT"
}

# build SERVICE: once; the tag is this run's
build() {
  compose build --quiet "$1" >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; fail "$1 does not build"; }
}

# up FLAG … SERVICE …: and wait until all are healthy
up() {
  up_at=$SECONDS
  compose up --detach --no-build --wait --wait-timeout 120 "$@" >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2; fail "up: not healthy"; }
}

down() {
  [ -n "${COMPOSE_PROJECT_NAME:-}" ] || return 0
  compose --profile '*' down --volumes --remove-orphans --timeout 3 >/dev/null 2>&1
  [ -n "$engine_process" ] || docker image ls -q "heed-*:$HEED_TAG" | xargs -r docker image rm -f >/dev/null 2>&1
}

tell_what_went_wrong() {
  [ -n "${COMPOSE_PROJECT_NAME:-}" ] || return 0
  compose --profile '*' ps --all >&2 || true
  compose --profile '*' logs --tail 30 >&2 || true
}

first_of() { local all; all=$(compose ps --quiet "$1"); echo "${all%%$'\n'*}"; }
state_of() { docker inspect --format '{{.RestartCount}} {{.State.Health.Status}}' "$1"; }
is_back() { [ "$(state_of "$1")" = "$2 healthy" ]; }

# strike CONTAINER: its first process dies of SIGKILL from outside, as of lack of memory (`docker kill` would not restart it)
strike() { kill -9 "$(docker inspect --format '{{.State.Pid}}' "$1")"; }
