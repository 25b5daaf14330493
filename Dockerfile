# A worker or a server against a database of its own: docker run -e DATABASE_URL=… -e API_KEYS=… -e HOST=0.0.0.0 -p 4000:4000
# Debian, because the bundled binaries are glibc's. Node is run directly, so that it gets SIGTERM and drains.
FROM node:26-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The compiler is an optional package, one for each system.
RUN npm ci
# The forms of the console are made of the schema.
COPY tsconfig.json tsconfig.build.json schema.graphql ./
COPY src src
RUN npm run build

FROM node:26-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY drizzle drizzle
COPY --from=build /app/dist dist
USER node
EXPOSE 4000
CMD ["node", "dist/main.js"]
