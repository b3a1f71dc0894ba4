# Builds dist/, with everything that takes.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Without scripts: "prepare" would build before the sources are here.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

# What runs: no compiler, no tests, no embedded PostgreSQL.
FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY prisma prisma
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/workers dist/workers
# Nothing in the image belongs to this user: packline writes to its database alone.
USER node
EXPOSE 4000
# The image has no curl; Node has fetch.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 4000) + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["--help"]
