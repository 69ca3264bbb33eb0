# The server in an image: docker build --tag scoreboard . && docker run --publish 8080:8080 --volume scores:/var/lib/scoreboard scoreboard
FROM python:3.12-slim AS build
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY scoreboard scoreboard
RUN python -m venv /opt/scoreboard && /opt/scoreboard/bin/pip install --no-cache-dir .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /var/lib/scoreboard scoreboard \
    && install --directory --owner=scoreboard --group=scoreboard --mode=700 /var/lib/scoreboard
COPY --from=build /opt/scoreboard /opt/scoreboard
ENV PATH=/opt/scoreboard/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SCOREBOARD__SERVER__HOST=0.0.0.0 \
    SCOREBOARD__DATA__DIR=/var/lib/scoreboard
USER scoreboard
WORKDIR /var/lib/scoreboard
VOLUME /var/lib/scoreboard
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["scoreboard"]
CMD ["serve"]
