# Training and export: torch, onnx, and the engine that checks what was exported. docker compose --profile train build
ARG PYTHON=3.13

# A folder of wheels that pip takes before the registry's: --build-context wheels=DIR, such as a torch without CUDA.
FROM scratch AS wheels

FROM python:${PYTHON}-slim AS python
ENV PATH=/opt/heed/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

FROM python AS packages
WORKDIR /build
RUN python -m venv --without-pip /opt/heed
COPY pyproject.toml ./
COPY constraints constraints
RUN touch README.md LICENSE NOTICE
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,from=wheels,target=/wheels \
    pip --python /opt/heed/bin/python install --find-links /wheels -c constraints/dev.txt '.[train]'

FROM python AS sources
WORKDIR /srv/heed
COPY bundle bundle
COPY export export
COPY models models
COPY service service
COPY zoo zoo
RUN chmod -R u=rwX,go=rX .

FROM python AS train
RUN useradd --uid 10001 --no-create-home --home-dir /srv/heed --shell /usr/sbin/nologin heed \
 && install -d -o heed -g heed /runs /bundles
WORKDIR /srv/heed
COPY --from=packages /opt/heed /opt/heed
COPY --from=sources /srv/heed /srv/heed
ENV PYTHONPATH=/srv/heed ORT_DISABLE_TELEMETRY=1
LABEL org.opencontainers.image.title="Heed, training and export" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
CMD ["python", "-m", "models.train", "--help"]
