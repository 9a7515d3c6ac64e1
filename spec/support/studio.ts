/** The studio in a real browser. Everything that a browser complains about fails the spec. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from "playwright-core";
import { studioManifest } from "../../lib/node/studio-server/manifest.ts";
import { serveStudio, type StudioServer } from "../../lib/node/studio-server/server.ts";
import { packageRoot } from "./paths.ts";

const executablePath = process.env["CLIPSCOPE_CHROMIUM"] ?? "/usr/bin/chromium";

/** In milliseconds. Long enough for a machine that is much slower than a user's: only a hang fails. */
const patience = 120_000;

/** Folder of screenshots, which git ignores. */
export const shots = `${packageRoot}studio-shots`;

export interface OpenPage {
  readonly page: Page;
  /** Messages, errors and requests that a page must not have. */
  readonly complaints: readonly string[];
}

/** What a browser needs of a server. */
type Opened = Pick<StudioServer, "url" | "close">;

export class StudioBrowser {
  #server: Opened;
  readonly #browser: Browser;
  readonly #pages: OpenPage[] = [];

  private constructor(server: Opened, browser: Browser) {
    this.#server = server;
    this.#browser = browser;
  }

  /**
   * @param serve default: the page with the demo model
   * @param gpu flags of Chromium. Default: no GPU
   */
  static async start(
    serve = async (): Promise<Opened> => serveStudio(await studioManifest(), 0),
    gpu: readonly string[] = ["--disable-gpu"],
  ): Promise<StudioBrowser> {
    if (!existsSync(executablePath)) {
      throw new Error(
        `${executablePath}: no Chromium; install it (apt-get install -y chromium), or set CLIPSCOPE_CHROMIUM to its path`,
      );
    }
    const server = await serve();
    const args = [
      "--no-sandbox",
      ...gpu,
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ];
    return new StudioBrowser(server, await chromium.launch({ executablePath, args }));
  }

  /** Without the token. */
  get url(): string {
    return this.#server.url.replace(/#.*$/, "");
  }

  /** Of a server that runs the network, with `#t=`; else empty. */
  get token(): string {
    return this.#server.url.slice(this.url.length);
  }

  /** The server that pages of `open` are to use from now on. */
  set server(server: Opened) {
    this.#server = server;
  }

  /** A page with an empty profile. A server with a network opens at the address that it prints. */
  async open(hash = "", options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    context.setDefaultTimeout(patience);
    const page = await this.#watch(context);
    await page.goto(this.url + (this.token === "" ? hash : this.token));
    if (this.token !== "" && hash !== "") {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
    }
    return page;
  }

  /** Another tab of the same browser window, which shares what the page keeps. */
  async openBeside(page: Page, hash = ""): Promise<Page> {
    const beside = await this.#watch(page.context());
    await beside.goto(this.url + hash);
    return beside;
  }

  async #watch(context: BrowserContext): Promise<Page> {
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
    return page;
  }

  /**
   * Closes the pages of a spec.
   *
   * @param expected complaints that the spec provokes
   * @throws AssertionError if a page complained of anything else
   */
  async closePages(expected = /^$/): Promise<void> {
    const pages = this.#pages.splice(0);
    for (const { page } of pages) await page.context().close();
    assert.deepEqual(
      pages.flatMap(({ complaints }) => complaints).filter((complaint) => !expected.test(complaint)),
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
  await page.waitForSelector(".status.live:not(.busy)");
}

/**
 * Waits for a result, and starts the work before it where the page asks first: it does so for work that takes
 * seconds, which depends on the machine.
 */
export async function resultOf(page: Page, selector: string): Promise<void> {
  await page.waitForFunction((result) => {
    for (const button of document.querySelectorAll<HTMLButtonElement>(".long-work .start")) button.click();
    return document.querySelector(result) !== null;
  }, selector);
}

/**
 * Repeats an assertion until it holds. What the page shows follows an input after an unknown time, so an assertion
 * about it must not be made once.
 *
 * @throws the assertion's last error, if the page hangs
 */
export async function eventually(assertion: () => Promise<void>): Promise<void> {
  for (const end = performance.now() + patience; ;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await setTimeout(50);
  }
}

/** Waits until an element has this text, and no other. */
export async function hasText(locator: Locator, text: string): Promise<void> {
  await eventually(async () => {
    assert.equal(await locator.textContent(), text);
  });
}

/** Clicks a button that copies. @returns the copied text */
export async function copiedBy(button: Locator): Promise<string> {
  const page = button.page();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(() => navigator.clipboard.writeText(""));
  await button.click();
  return page.evaluate(async () => {
    let text = "";
    for (; text === ""; text = await navigator.clipboard.readText()) await new Promise(requestAnimationFrame);
    return text;
  });
}
