# `extractor serve` in a container: docs/serve.md. It holds no weights and no key; mount the one, name a file of the other.
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS libraries
COPY requirements-serve.lock /build/requirements-serve.lock
RUN python -m venv /opt/extractor \
    && /opt/extractor/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement /build/requirements-serve.lock

FROM python:${PYTHON}
# libgomp is the embedded engine's; a user of its own owns nothing but /data
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends --yes libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 extractor \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin extractor \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data /data/home /data/home/models
COPY --from=libraries /opt/extractor /opt/extractor
COPY extractor /opt/extractor/app/extractor
COPY prompts /opt/extractor/app/prompts
# the package is found by the interpreter alone, so that no variable and no working folder says which code runs
RUN echo /opt/extractor/app > "$(/opt/extractor/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/extractor.pth" \
    && /opt/extractor/bin/python -m compileall -q /opt/extractor/app
ENV EXTRACTOR_HOME=/data/home \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
# jobs and replies; weights of embedded models are mounted read-only at /data/home/models
VOLUME ["/data"]
EXPOSE 8900
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["/opt/extractor/bin/python", "-I", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8900/health', timeout=4)"]
ENTRYPOINT ["/opt/extractor/bin/python", "-P", "-m", "extractor"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8900", "--jobs", "/data/jobs", "--keys", "/run/secrets/extractor_keys"]
