import { defineConfig } from "vite";

// The page is served from /, /p/{id} and /join/{token} alike, so every asset path is absolute.
export default defineConfig({
  base: "/",
  build: { outDir: "dist", assetsDir: "assets", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
