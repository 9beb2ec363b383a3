# The service. Targets: cpu (the default), gpu, ray. Built from the root of the repository: docker compose build
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS python
ENV PATH=/opt/heed/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# What it is installed from, without our code: an edit of that installs nothing anew.
FROM python AS installer
WORKDIR /build
RUN python -m venv --without-pip /opt/heed
COPY pyproject.toml ./
COPY constraints constraints
RUN touch README.md LICENSE NOTICE

# numpy's own tests are left out: the image may weigh 450 MB.
FROM installer AS cpu-packages
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/heed/bin/python install -c constraints/serve.txt '.[serve]' \
 && find /opt/heed/lib/*/site-packages/numpy -type d -name tests -prune -exec rm -r {} +

# onnxruntime for CUDA, with CUDA and cuDNN as packages: of the host it needs the driver alone.
FROM installer AS gpu-packages
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/heed/bin/python install -c constraints/serve.txt '.[serve-gpu]'

FROM installer AS ray-packages
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/heed/bin/python install -c constraints/dev.txt '.[ray]'

# Our code and bundles: readable by everybody and writable by nobody, whatever the umask of whoever checked them out.
FROM python AS sources
WORKDIR /srv/heed
COPY bundle bundle
COPY service service
COPY zoo zoo
RUN chmod -R u=rwX,go=rX . && install -d -o 10001 -g 10001 zoo/yours \
 && PYTHONDONTWRITEBYTECODE='' python -m compileall -q bundle service

FROM python AS heed
RUN useradd --uid 10001 --no-create-home --home-dir /srv/heed --shell /usr/sbin/nologin heed
WORKDIR /srv/heed
COPY --from=sources /srv/heed /srv/heed
ENV PYTHONPATH=/srv/heed ORT_DISABLE_TELEMETRY=1 HEED_HOST=0.0.0.0 HEED_PORT=8000 HEED_ZOO=/srv/heed/zoo
LABEL org.opencontainers.image.title="Heed" \
      org.opencontainers.image.description="Attention models over HTTP: the answer, and the attention that made it" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=4s --start-period=90s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=3)"]
CMD ["python", "-m", "service", "serve"]

FROM heed AS gpu
COPY --from=gpu-packages /opt/heed /opt/heed
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

FROM heed AS ray
COPY --from=ray-packages /opt/heed /opt/heed
ENV RAY_USAGE_STATS_ENABLED=0

FROM heed AS cpu
COPY --from=cpu-packages /opt/heed /opt/heed
