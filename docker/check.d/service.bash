# The part `service`: one container, as `docker compose up` starts it. Sourced by docker/check.

most_bytes=$((450 * 1000 * 1000))
most_seconds=15 # from `up` to the first answer, on a machine with nothing else to do

check_service() {
  fresh_stack
  compose config --quiet
  build heed
  is_small
  up heed
  first_answers
  is_bare "$(first_of heed)"
  worker_dies
  container_dies
  leaves_nothing
}

is_small() {
  local bytes
  bytes=$(docker image inspect --format '{{.Size}}' "heed-cpu:$HEED_TAG")
  say "image built: $((bytes / 1000000)) MB"
  [ "$bytes" -le "$most_bytes" ] || fail "the image has more than $((most_bytes / 1000000)) MB"
}

first_answers() {
  local text took
  text=$(translate) || fail "no answer: $text"
  took=$((SECONDS - up_at))
  text=$(shown "$text" cross) || fail "no map"
  say "first answer $took s after up: $text"
  [ "$took" -le "$most_seconds" ] || say "SLOW: that should take $most_seconds s; load average $(cut -d' ' -f1 /proc/loadavg) on $(nproc) cores"
  text=$(shown "$(caption)" spatial) || fail "no caption"
  say "a caption: $text"
}

# is_bare CONTAINER: nobody in particular, with no capability, who can write nowhere but in /tmp
is_bare() {
  docker exec "$1" python - <<'PYTHON' || fail "the container is not as bare as it should be"
import os, pathlib
status = dict(line.split(":\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
assert os.getuid() == 10001 and os.getgid() == 10001, "a user of its own"
assert all(int(status[f"Cap{kind}"], 16) == 0 for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")), "no capabilities"
assert status["NoNewPrivs"].strip() == "1", "no new privileges"
for place in ("/", "/srv/heed", "/srv/heed/zoo", "/opt/heed", "/srv/heed/zoo/yours", "/root", "/var/tmp"):
    assert not os.access(place, os.W_OK), f"{place} can be written"
pathlib.Path("/tmp/x").write_text("x")
PYTHON
  say "user 10001, no capabilities, nothing but /tmp can be written"
}

# A worker inside is killed; the front asks another.
worker_dies() {
  local worker
  worker=$(docker top "$(first_of heed)" -eo pid,args | awk '/service worker/ {print $1; exit}')
  [ -n "$worker" ] || fail "no worker process is there"
  crowd 150
  kill -9 "$worker"
  nobody_lost "a worker process was killed"
}

# Everything inside is killed; Docker starts it again.
container_dies() {
  local container since
  container=$(first_of heed)
  since=$SECONDS
  strike "$container"
  until_true 40 is_back "$container" 1 || fail "the container did not come back: $(state_of "$container")"
  shown "$(translate)" cross >/dev/null
  say "the container was killed: it answers again after $((SECONDS - since)) s"
}

leaves_nothing() {
  down
  [ -z "$(docker ps --all --quiet --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")" ] || fail "down left containers"
}
