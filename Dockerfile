# A static binary and nothing to log in to: no shell, no package manager, a numeric user.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# timetzdata puts the time zones into the binary, since the final image has none.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w" -o /out/huiyin ./cmd/huiyin \
 && mkdir -p /out/etc/ssl/certs /out/tmp /out/var/lib/huiyin /out/var/lib/huiyin-keys \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
 && chmod 1777 /out/tmp && chmod 0700 /out/var/lib/huiyin /out/var/lib/huiyin-keys

FROM scratch
COPY --from=build --chown=65532:65532 /out /
# One static tool, so that the image can tell by itself whether the bot is alive.
COPY --from=busybox:1.37-musl /bin/wget /bin/wget
ENV HUIYIN_LISTEN=0.0.0.0:8080 HUIYIN_DATA_DIR=/var/lib/huiyin HUIYIN_KEYSTORE_DIR=/var/lib/huiyin-keys
WORKDIR /var/lib/huiyin
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/bin/wget", "-q", "-T", "2", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]
# The image has no Postgres to embed: HUIYIN_DATABASE_URL must be set. compose.yaml does.
ENTRYPOINT ["/huiyin"]
CMD ["serve"]
