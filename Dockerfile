# Winnow, against a database of its own:
# docker run -e DATABASE_URL=… -e API_KEYS=… -p 4000:4000 winnow
# Debian, because the bundled binaries are glibc's. Node is run directly, so that it gets SIGTERM and drains.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The compiler and esbuild are optional packages, one for each system.
RUN npm ci
# The forms of the console are made of the schema.
COPY tsconfig.json tsconfig.build.json schema.graphql ./
COPY src src
RUN npm run build

FROM node:26-bookworm-slim
LABEL org.opencontainers.image.title="Winnow" \
  org.opencontainers.image.description="A GraphQL service that runs language-model operations over datasets" \
  org.opencontainers.image.version="0.2.0" \
  org.opencontainers.image.licenses="MIT"
# In production no .env is read. What a container may reach is the choice of who runs it.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY drizzle drizzle
COPY --from=build /app/dist dist
USER node
EXPOSE 4000
STOPSIGNAL SIGTERM
# A start may wait a minute for its database. A worker has a port where METRICS_PORT is set.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
  CMD ["node", "dist/cli/healthcheck.js"]
CMD ["node", "--max-semi-space-size=64", "dist/main.js"]
