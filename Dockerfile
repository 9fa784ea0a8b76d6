# The gateway's image: compiled JavaScript and its runtime dependencies, nothing that builds or tests it.

FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:26-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="poolgate" \
      org.opencontainers.image.description="A streaming reverse proxy that knows Amazon Cognito" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional && npm cache clean --force
COPY --from=build /app/dist ./dist

# Nothing is written at run time: the root file system may be read-only.
USER 65532:65532
# 8080 for clients, 9090 for health and metrics.
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "dist/main.js", "healthcheck"]
# See docs/decisions/0006-young-generation.md.
ENTRYPOINT ["node", "--max-semi-space-size=8", "dist/main.js"]
CMD ["serve", "--config", "/etc/poolgate/config.yaml"]
