# An engine to check with: the machine's own, or one of Debian's packages unpacked into a folder. Sourced by docker/check.
# Unpacked, not installed: neither the machine's packages, nor its firewall, nor its forwarding are touched.

engine_process=
base_process=

find_engine() {
  if docker version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
    say "engine: this machine's own, $(docker version --format '{{.Server.Version}}')"
    return
  fi
  [ "$(id -u)" -eq 0 ] || skip "no Docker answers, and only root can start one"
  [ -f /etc/apt/sources.list.d/debian.sources ] || skip "no Docker answers, and this is not a Debian to take one from"
  command -v curl >/dev/null || skip "curl is not installed"
  find_packages
  unpacked mmdebstrap
  make_stand_in & # takes longest
  base_process=$!
  unpacked docker.io/trixie docker-cli/trixie docker-compose/trixie docker-buildx/trixie
  start_engine
  wait "$base_process" || { tail -n 20 "$work/base.log" >&2; fail "the stand-in for the base image could not be made"; }
  base_process=
  import_stand_in
  say "engine: $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short); python:$python-slim is a stand-in"
}

# Of this release runc; of the next what Compose needs, which asks for no newer libc.
find_packages() {
  local sources=/etc/apt/sources.list.d/debian.sources apt="$work/apt"
  mirror=$(awk '/^URIs:/ {print $2; exit}' "$sources")
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$apt"/{parts,preferences,lists/partial,cache/archives/partial}
  cp "$sources" "$apt/parts/"
  echo "deb [signed-by=$key] $mirror trixie main" >"$apt/parts/next.list"
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >"$apt/preferences/next"
  apt_options=(-qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/parts"
    -o Dir::Etc::PreferencesParts="$apt/preferences" -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache"
    -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" update >"$work/apt.log" 2>&1 || skip "Debian's packages are out of reach: $(tail -n 1 "$work/apt.log")"
  export PATH="$work/engine/usr/bin:$work/engine/usr/sbin:$PATH"
}

# unpacked PACKAGE …: these, and what they need and this machine has not, in the folder of the engine
unpacked() {
  local archives="$work/apt/cache/archives" package
  apt-get "${apt_options[@]}" install -y --download-only --no-install-recommends "$@" >"$work/apt.log" 2>&1 ||
    skip "Debian's packages cannot be fetched: $(tail -n 1 "$work/apt.log")"
  for package in "$archives"/*.deb; do
    [ -e "$package" ] || continue # this machine has them all
    dpkg-deb --extract "$package" "$work/engine"
    rm "$package"
  done
}

# Containers get a bridge without NAT; published ports go through a proxy on loopback.
start_engine() {
  export DOCKER_HOST="unix://$work/docker.sock" DOCKER_CONFIG="$work/config" DOCKER_BUILDKIT=1 HEED_BUILD_NETWORK=host
  mkdir -p "$work/data" "$work/run" "$work/config/cli-plugins"
  ln -s "$work"/engine/usr/libexec/docker/cli-plugins/* "$work/config/cli-plugins/"
  (
    find_iptables
    exec setsid dockerd --data-root "$work/data" --exec-root "$work/run" --host "$DOCKER_HOST" --pidfile "$work/pid" \
      --iptables=false --ip6tables=false --bridge=none --ip-forward=false --ip-masq=false --userland-proxy=true
  ) >"$work/dockerd.log" 2>&1 </dev/null &
  engine_process=$!
  until_true 60 docker version >/dev/null 2>&1 || { tail -n 20 "$work/dockerd.log" >&2; fail "the engine does not start"; }
}

# Names of services are answered inside each container's own network, where the engine writes a rule with this command.
find_iptables() {
  local programs="$work/engine/usr/sbin" libraries
  libraries="$work/engine/usr/lib/$(uname -m)-linux-gnu"
  [ -e "$programs/xtables-nft-multi" ] || return 0 # installed on this machine
  ln -sf xtables-nft-multi "$programs/iptables"
  export LD_LIBRARY_PATH="$libraries" XTABLES_LIBDIR="$libraries/xtables"
}

stop_engine() {
  [ -z "$base_process" ] || { kill "$base_process" && wait "$base_process"; } 2>/dev/null || true
  [ -n "$engine_process" ] || return 0
  kill "$engine_process" 2>/dev/null || true
  wait "$engine_process" 2>/dev/null || true
  umount "$work/run/netns/default" 2>/dev/null || true
}
