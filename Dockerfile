# A host in a container, for a file system that is read-only:
#
#   docker build -t stepwell .
#   docker run --rm --read-only -p 127.0.0.1:7878:7878 -e STEPWELL_ADMIN_KEY="$(openssl rand -hex 32)" stepwell
#
# Without DATABASE_URL the volume holds the embedded SQLite file, which is the truth; with it, compiled modules that a host
# can make again. `docker stop` waits for 10 s only: give it more than the drain takes (`docker stop -t 75`).

# That of rust-toolchain.toml; scripts/check-deploy compares the two.
ARG RUST_VERSION=1.95.0
FROM rust:${RUST_VERSION}-slim-trixie AS builder
ARG TARGETARCH
WORKDIR /build
# rust-toolchain.toml is left out: it names components that rustup would download for nothing.
COPY . .
# What was fetched and compiled stays with the builder, apart for each architecture. It is no part of the layer, so the program
# is copied out of it in the same step.
RUN --mount=type=cache,id=stepwell-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=stepwell-target-${TARGETARCH},target=/build/target,sharing=locked \
    cargo build --release --locked -p stepwell --bin stepwell \
    && install -D target/release/stepwell /out/stepwell \
    && install -d -m 0700 /out/data

# Distroless: the C library, libgcc and the certificates of the public authorities are all that the program needs. Whoever breaks
# out of a sandbox finds no shell and no package manager, and little is there that has to be patched. Both stages are of the
# same Debian, so that the C library is the one that was linked with.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=builder /out/stepwell /usr/local/bin/stepwell
# A new volume takes over the owner of the folder that it covers.
COPY --from=builder --chown=65532:65532 /out/data /var/lib/stepwell
# A container's own loopback address reaches nobody, so it listens on all, and does not start without a key: docs/access.md.
# SQLite puts large sorts into temporary files, and there is no other place for them.
ENV STEPWELL_LISTEN=0.0.0.0:7878 \
    STEPWELL_DATA=/var/lib/stepwell \
    STEPWELL_LOG_FORMAT=json \
    TMPDIR=/var/lib/stepwell
VOLUME /var/lib/stepwell
# By number, because Kubernetes cannot see that a name is not root's.
USER 65532:65532
EXPOSE 7878
# Drains the host. A second signal would end it at once.
STOPSIGNAL SIGTERM
# It asks the default address; with another port in STEPWELL_LISTEN set STEPWELL_SERVER too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=6 \
    CMD ["/usr/local/bin/stepwell", "health"]
ENTRYPOINT ["/usr/local/bin/stepwell"]
CMD ["serve"]
