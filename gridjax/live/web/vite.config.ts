import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig } from "vite";
import type { Plugin } from "vite";

const here = import.meta.dirname;
const out = join(here, "../static");

/** SHA-256 of everything the bundle is made from; `tests/live/test_bundle.py` computes the same. */
function sourcesHash(): string {
  const parts = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];
  for (const entry of readdirSync(join(here, "src"), { recursive: true, withFileTypes: true }))
    if (entry.isFile()) parts.push(relative(here, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
  const hash = createHash("sha256");
  for (const path of parts.sort()) hash.update(`${path}\0`).update(readFileSync(join(here, path))).update("\0");
  return hash.digest("hex");
}

const digest = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * Besides the page, the same page in one file: `replay.html`, whose script tag `gridjax-replay` takes a recording.
 * Its policy allows by their hashes the one script and the one style, and nothing from anywhere.
 */
function replay(): Plugin {
  return {
    name: "replay",
    writeBundle() {
      const script = readFileSync(join(out, "app.js"), "utf8").trim();
      const style = readFileSync(join(out, "app.css"), "utf8").trim();
      if (/<\/script|<!--/i.test(script)) throw new Error("the script would end its own tag");
      const policy = `default-src 'none'; script-src ${digest(script)}; style-src ${digest(style)}; img-src data:`;
      const page = readFileSync(join(out, "index.html"), "utf8")
        .replace(/\s*<script[^>]*app\.js[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, () => `\n    <style>${style}</style>`)
        .replace('<meta charset="utf-8" />', (meta) => `${meta}\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`)
        .replace(
          "</body>",
          () => `  <script type="application/json" id="gridjax-replay">null</script>\n    <script>${script}</script>\n  </body>`,
        );
      writeFileSync(join(out, "replay.html"), page);
      writeFileSync(join(out, "sources.sha256"), `${sourcesHash()}\n`);
    },
  };
}

/** A plain deferred script with an address of its own beside the page, wherever the page is mounted. */
function plainScript(): Plugin {
  return {
    name: "plain-script",
    transformIndexHtml: {
      order: "post",
      handler: (html) => html.replace('<script type="module" crossorigin', "<script defer").replace(' crossorigin href', " href"),
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [plainScript(), replay()],
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        format: "iife",
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
      },
    },
  },
});
