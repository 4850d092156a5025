import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { runnerImport } from "vite";

const ROOT = join(import.meta.dirname, "..");
const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
/** The policy `reporting` sends. */
const POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Serves the built page and a stand-in for `reporting` on a free port of loopback. */
export async function serveMock() {
  const { module } = await runnerImport(join(ROOT, "test/mock.ts"));
  const behaviour = module.ordinary();
  const files = async (request, response) => {
    const path = new URL(request.url, "http://page").pathname;
    const name = extname(path) ? path : "/index.html";
    try {
      const content = await readFile(join(ROOT, "dist", name));
      response.writeHead(200, { "content-type": KINDS[extname(name)], "content-security-policy": POLICY }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  };
  const server = createServer(connectNodeAdapter({ routes: module.routes(behaviour), fallback: files }));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, behaviour, module, close };
}
