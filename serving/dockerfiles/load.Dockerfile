# What puts load on the models: vegeta and hey, built from their modules, and the script that runs them.
FROM golang:1.27 AS tools
COPY tools/hey /src/hey
COPY tools/vegeta /src/vegeta
RUN cd /src/hey && CGO_ENABLED=0 go build -trimpath -o /out/hey github.com/rakyll/hey \
 && cd /src/vegeta && CGO_ENABLED=0 go build -trimpath -o /out/vegeta github.com/tsenart/vegeta/v12

FROM python:3.11-slim
COPY --from=tools /out/ /usr/local/bin/
WORKDIR /opt/rightsize
COPY experiments/__init__.py experiments/generator.py experiments/
COPY experiments/pictures experiments/pictures
USER 1000
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ENTRYPOINT ["python", "-m", "experiments.generator"]
