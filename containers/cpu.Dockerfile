# The CPU set (locks/cpu.txt): `make demo` where there is no Debian or Ubuntu. Not built, 2026-11-29: no container runtime
# was at hand. containers/README.md says who can use it, and with what memory.
#
#   docker build -f containers/cpu.Dockerfile -t empathy-r1 .
#   docker run --rm --shm-size=4g -v empathy-outputs:/app/outputs empathy-r1
#   docker run --rm --shm-size=4g -v empathy-outputs:/app/outputs -v "$PWD/posts:/data:ro" empathy-r1 \
#     make demo CORPUS=/data/posts.jsonl OUT=outputs/mine
FROM python:3.11-slim-bookworm

# make for the targets, libnuma and libgomp for vLLM and torch, a Chinese font for the topics in plots.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends make libnuma1 libgomp1 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 empathy \
    && mkdir -p /app/outputs /home/empathy/.cache/pip \
    && chown -R empathy:empathy /app /home/empathy/.cache

USER 1000
WORKDIR /app
COPY --chown=empathy:empathy . .

# Where pip finds torch's CPU wheel: docker build --build-arg PIP_EXTRA_INDEX_URL=... Without it pip takes the larger CUDA
# build, which works on a CPU as well. No password in it: build arguments can be read in the image.
ARG PIP_EXTRA_INDEX_URL
RUN --mount=type=cache,target=/home/empathy/.cache/pip,uid=1000,gid=1000 make install

# What runs write, and what they download: both outlive the container.
VOLUME ["/app/outputs", "/home/empathy/.cache"]
CMD ["make", "demo"]
