# qdt-server and qdt-client on Debian, without what builds them: docker compose up --build
# `make test-docker` builds this very file without a Docker daemon, and runs what comes out.

FROM debian:bookworm-slim AS build
# What the result has already: written down before anything else is installed here.
RUN cp /var/lib/dpkg/status /base-packages
WORKDIR /qdt
COPY scripts/setup.sh scripts/mirror.sh scripts/
RUN scripts/setup.sh build
COPY . .
ARG JOBS=
# The context has no .git: --build-arg QDT_VERSION=$(scripts/version.sh)
ARG QDT_VERSION=
RUN JOBS=$JOBS QDT_VERSION=$QDT_VERSION scripts/build.sh release qdt-server qdt-client
RUN install -D -s -t /runtime/bin build/release/qdt-server build/release/qdt-client
# The packages whose libraries the programs load, and what those need, in the versions built against.
RUN mkdir -p /runtime/packages/partial \
 && packages=$(ldd /runtime/bin/* | awk '$3 ~ "^/" { print $3 }' | sort -u \
      | while read -r library; do dpkg-query -S "*/$(basename "$(readlink -f "$library")")"; done \
      | cut -d : -f 1 | sort -u) \
 && apt-get install -qq -y --no-install-recommends --download-only \
      -o Dir::State::status=/base-packages -o Dir::Cache::archives=/runtime/packages \
      -o Acquire::Retries=3 ca-certificates \
      $(dpkg-query -W -f '${Package}=${Version} ' $packages)

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="QDT" \
      org.opencontainers.image.description="A VPN inside HTTP/3" \
      org.opencontainers.image.licenses="MIT"
RUN --mount=type=bind,from=build,source=/runtime,target=/runtime \
    DEBIAN_FRONTEND=noninteractive dpkg --install /runtime/packages/*.deb \
 && install -t /usr/local/bin /runtime/bin/* \
 && useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin qdt \
 && rm -rf /var/log/dpkg.log /var/cache/debconf/*-old
COPY deploy/docker/qdt-health /usr/local/bin/

# server.yaml, certificate and key; written at the first start where they are missing.
VOLUME /etc/qdt
EXPOSE 443/udp
# Where qdt-health asks: health_addr of server.yaml.
ENV QDT_HEALTH=127.0.0.1:9436
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["qdt-health"]
STOPSIGNAL SIGTERM
CMD ["qdt-server", "--config", "/etc/qdt/server.yaml"]
