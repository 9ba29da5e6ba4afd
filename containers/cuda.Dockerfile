# The CUDA set (locks/gpu.txt), for x86_64 hosts with NVIDIA's container toolkit. Not built, 2026-11-29: no container
# runtime was at hand. containers/README.md has more.
#
#   docker build -f containers/cuda.Dockerfile -t empathy-r1:cuda .
#   docker run --rm --gpus all --shm-size=64g -v "$PWD/outputs:/app/outputs" -v empathy-cache:/home/empathy/.cache \
#     -v /data:/data:ro empathy-r1:cuda make preflight PROFILE=qwen3_8b
#
# /dev/shm: Ray and NCCL pass data through it, and a container's own has 64 MB. Give --shm-size=64g, or --ipc=host.
#
# A driver older than 580, the CUDA 12 set (docs/grpo.md):
#   docker build -f containers/cuda.Dockerfile -t empathy-r1:cu12 --build-arg SET=install-gpu-cu12 \
#     --build-arg IMAGE=nvidia/cuda:12.8.1-base-rockylinux9 .
#
# The CUDA libraries come with the wheels, so the smallest image does; it also holds NVIDIA's forward-compatibility package.
# Rocky Linux 9 has Python 3.11, which the locks are for, among its own packages; Ubuntu has 3.10 or 3.12.
ARG IMAGE=nvidia/cuda:13.0.2-base-rockylinux9
# hadolint ignore=DL3006
FROM ${IMAGE}

# gcc and Python's headers: Triton and vLLM compile when they start.
# hadolint ignore=DL3041
RUN dnf install -y make gcc gcc-c++ python3.11 python3.11-devel python3.11-pip \
    && dnf clean all \
    && useradd --create-home --uid 1000 empathy \
    && mkdir -p /app/outputs /home/empathy/.cache/pip \
    && chown -R empathy:empathy /app /home/empathy/.cache

USER 1000
WORKDIR /app
COPY --chown=empathy:empathy . .

ARG SET=install-gpu
RUN --mount=type=cache,target=/home/empathy/.cache/pip,uid=1000,gid=1000 make "${SET}" PYTHON=python3.11

# What runs write, and what they download or compile: both outlive the container.
VOLUME ["/app/outputs", "/home/empathy/.cache"]
CMD ["make", "help"]
