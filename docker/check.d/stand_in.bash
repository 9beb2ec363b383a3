# Stand-ins for images that only a registry has: the same tags, made of Debian's packages. Sourced by docker/check.
# What they cannot show is whether the images of those who publish them work: say so wherever a result is told.

python=3.13 # as in the Dockerfiles; Debian 13 has this one

# shellcheck disable=SC2016 # the hooks are for mmdebstrap, which sets their $1
make_stand_in() {
  exec mmdebstrap --quiet --variant=minbase --mode=root --include=python3,python3-venv,ca-certificates \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs' \
    --customize-hook='printf "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n" >"$1/etc/pip.conf"' \
    --customize-hook='chroot "$1" python3 -m venv /usr/local' \
    trixie "$work/base.tar" "deb [signed-by=$key] $mirror trixie main" >"$work/base.log" 2>&1
}

import_stand_in() {
  docker import -c 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' -c 'CMD ["python3"]' \
    "$work/base.tar" "python:$python-slim" >/dev/null
  rm "$work/base.tar"
}

# stand_in TARGET: the image of that name in compose.yaml or docker/scale.yaml, if the engine is ours
stand_in() {
  [ -n "$engine_process" ] || return 0
  local image
  image=$(awk -v name="$1" '$1 == "image:" && index($2, name) {print $2; exit}' compose.yaml docker/scale.yaml)
  docker build -q --network=host --target "$1" -t "$image" -f docker/check.d/stand-ins.Dockerfile docker/check.d >/dev/null ||
    fail "no stand-in for $image"
  say "$image is a stand-in"
}
