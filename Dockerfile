# One process of TIMES Energy Analytics on port 5006. Datasets are kept in /data; nothing else is
# written outside /tmp, so the root file system can be read-only:
#   docker run --read-only --tmpfs /tmp -v times-data:/data -p 5006:5006 times-energy-analytics:0.1.0

FROM python:3.11-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/venv

# The dependencies are a layer of their own: they change less often than the code.
COPY pyproject.toml constraints.txt LICENSE ./
RUN /opt/venv/bin/pip install --no-cache-dir --constraint constraints.txt '.[gdx]'
COPY catalogs catalogs
COPY components components
COPY app app
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --force-reinstall .


FROM python:3.11-slim-bookworm

# No packages are added to the base image: the wheels carry the libraries they use.
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin times \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/venv /opt/venv

# numba, matplotlib and others want a folder to write to at import.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba \
    PYTHONSAFEPATH=1 \
    TIMES_DATA=/data

WORKDIR /
USER 10001:10001
VOLUME ["/data"]
EXPOSE 5006
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5006/healthz', timeout=4)"]
CMD ["python", "-m", "app.server", "--address", "0.0.0.0", "--port", "5006"]
