import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running server: its planner port. */
const server = process.env.VAGLIO_PLANNER ?? "http://127.0.0.1:8081";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // `dist/.gitignore` keeps the directory there for builds without npm; `scripts/pack.mjs` sweeps the rest.
    emptyOutDir: false,
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    // The server looks at `Host` and `Origin`: the proxy keeps both as the page has them.
    proxy: { "/api": { target: server, changeOrigin: false }, "/metrics": server },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test.setup.ts"],
    restoreMocks: true,
  },
});
