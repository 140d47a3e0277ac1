# One image for every process of citylake: the runtime, Great Expectations, Airflow and Superset each
# in the environment that they have natively, from the same hash-locked requirements.
FROM python:3.11.14-slim-bookworm@sha256:65a93d69fa75478d554f4ad27c85c1e69fa184956261b4301ebaf6dbb0a3543d

# The folders of the lake, of Superset and of scratch exist here for their owner and mode: a new
# volume takes both over from the image.
RUN groupadd --gid 10001 citylake \
    && useradd --uid 10001 --gid citylake --no-create-home --home-dir /tmp citylake \
    && install --directory --owner citylake --group citylake --mode 0700 /lake /reports /scratch

WORKDIR /opt/citylake
COPY . .

# Everything stays root's: what runs can read it and change nothing. Byte code is made here, since
# nothing can be written later.
RUN --mount=type=cache,target=/var/cache/packages \
    export UV_CACHE_DIR=/var/cache/packages/uv PIP_CACHE_DIR=/var/cache/packages/pip \
    && export UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 \
    && requirements/install.sh runtime \
    && requirements/install.sh gx \
    && requirements/install.sh airflow \
    && requirements/install.sh superset \
    && .venv/bin/python -m compileall -q -x '\.venv' .

ENV PATH=/opt/citylake/.venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1 \
    DO_NOT_TRACK=1 \
    CITYLAKE_HOME=/lake

USER 10001:10001
CMD ["citylake", "--help"]
