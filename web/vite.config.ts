import { defineConfig } from "vitest/config";

const reporting = process.env.KAIZEN_REPORTING ?? "http://127.0.0.1:8080";

export default defineConfig({
  build: {
    // The policy of the server is `default-src 'self'`: nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { host: "127.0.0.1", proxy: { "^/kaizen\\.": reporting } },
  test: { include: ["test/**/*.test.ts"] },
});
