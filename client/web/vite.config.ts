import { defineConfig } from "vite";

// The page is served from /, /p/{id} and /join/{token} alike, so every asset path is absolute.
export default defineConfig({
  base: "/",
  build: {
    outDir: "dist", assetsDir: "assets", assetsInlineLimit: 0, modulePreload: { polyfill: false },
    // The reader of the API's description is one big chunk, and only /docs loads it.
    chunkSizeWarningLimit: 2048,
    rolldownOptions: { input: { index: "index.html", docs: "docs.html" } },
  },
});
