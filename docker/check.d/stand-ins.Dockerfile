# Debian's packages in place of images that only a registry has; for docker/check alone, where there is no registry.
FROM python:3.13-slim AS apt
# hadolint ignore=DL3008,DL3009
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends busybox \
 && ln -s /bin/busybox /usr/local/bin/wget

FROM apt AS haproxy
# hadolint ignore=DL3008
RUN apt-get install -y -qq --no-install-recommends haproxy
USER 99:99

FROM apt AS prometheus
# hadolint ignore=DL3008
RUN apt-get install -y -qq --no-install-recommends prometheus \
 && install -d -o 65534 -g 65534 /prometheus
USER 65534:65534
ENTRYPOINT ["prometheus"]
