# What the check says, and how it waits. Sourced by docker/check.

SECONDS=0
say() { printf '[%3ds] %s\n' "$SECONDS" "$*"; }
fail() { printf '[%3ds] docker/check: %s\n' "$SECONDS" "$*" >&2; exit 1; }

# Not tried is not passed: said so that nobody overlooks it, and with a status of its own.
skip() {
  printf '%s\n' '' '############################################################' \
    "## docker/check was SKIPPED: $*" \
    '## Nothing about the images or compose.yaml was checked.' \
    '############################################################' '' >&2
  exit 77
}

# until_true SECONDS COMMAND …: the command succeeds within that time
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
