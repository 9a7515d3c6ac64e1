/** The studio in a real browser. Everything that a browser complains about fails the spec. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { studioManifest } from "../../lib/node/studio-server/manifest.ts";
import { serveStudio, type StudioServer } from "../../lib/node/studio-server/server.ts";
import { packageInfo } from "../../cli/package-info.ts";
import type { CallServer } from "../../lib/node/studio-server/call-server.ts";
import { packageRoot } from "./paths.ts";

const executablePath = process.env["CLIPSCOPE_CHROMIUM"] ?? "/usr/bin/chromium";

/** Folder of screenshots, which git ignores. */
export const shots = `${packageRoot}studio-shots`;

export interface OpenPage {
  readonly page: Page;
  /** Messages, errors and requests that a page must not have. */
  readonly complaints: readonly string[];
}

export class StudioBrowser {
  readonly #server: StudioServer;
  readonly #browser: Browser;
  readonly #pages: OpenPage[] = [];

  private constructor(server: StudioServer, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
  }

  /** @param calls the server's network; null if it runs in the page */
  static async start(calls: CallServer | null = null): Promise<StudioBrowser> {
    if (!existsSync(executablePath)) {
      throw new Error(
        `${executablePath}: no Chromium; install it (apt-get install -y chromium), or set CLIPSCOPE_CHROMIUM to its path`,
      );
    }
    const manifest = await studioManifest(calls && { version: packageInfo().version });
    const server = await serveStudio(manifest, 0, calls);
    const args = [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    return new StudioBrowser(server, await chromium.launch({ executablePath, args }));
  }

  get url(): string {
    return `${new URL(this.#server.url).origin}/`;
  }

  /** The address that the server prints, with its token if it runs the network. */
  get printedUrl(): string {
    return this.#server.url;
  }

  /** A page with an empty profile. A server with a network opens at the address that it prints. */
  async open(hash = "", options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.url) && !url.startsWith("blob:")) complaints.push(`request to ${url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`status ${response.status()} of ${response.url()}`);
    });
    this.#pages.push({ page, complaints });
    await page.goto(this.printedUrl.includes("#") ? this.printedUrl : this.url + hash);
    return page;
  }

  /** Closes the pages of a spec. @throws AssertionError if a page complained */
  async closePages(): Promise<void> {
    const pages = this.#pages.splice(0);
    for (const { page } of pages) await page.context().close();
    assert.deepEqual(
      pages.flatMap(({ complaints }) => complaints),
      [],
    );
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
  }
}

/** Waits until the values of the current selection are shown, and the network computed them. */
export async function live(page: Page): Promise<void> {
  await page.waitForSelector(".status.live:not(.busy)", { timeout: 20_000 });
}
