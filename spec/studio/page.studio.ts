/** The studio's page: loading, numbers, address, keyboard, access, layout, leaks. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import ts from "typescript";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { decodeImage } from "../../lib/image/decode.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { StoredTrace } from "../../lib/trace/stored-trace.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { clipscope } from "../support/cli.ts";
import { packageRoot } from "../support/paths.ts";
import { viewNames } from "../../web/state/views.ts";
import { copiedBy, eventually, hasText, live, resultOf, shots, StudioBrowser } from "../support/studio.ts";
import { temporaryFolder } from "../support/temporary.ts";

const views = [
  "pass",
  "attention",
  "text",
  "stream",
  "weights",
  "match",
  "lens",
  "why",
  "intervene",
  "compare",
  "parity",
  "probe",
  "search",
] as const;
const sample = `${demoModel}/samples/three-brown-stars.png`;
const text = "three brown stars";

/** In milliseconds, for an idle machine. Times are printed, and do not fail a spec. */
const budgets = { stored: 1000, live: 5000, attention: 100 };

function report(what: string, milliseconds: number, budget: number): void {
  console.log(`      ${what}: ${milliseconds.toFixed(0)} ms (budget ${budget} ms)`);
}

async function ready(page: Page, view: (typeof views)[number]): Promise<void> {
  await live(page);
  await page.waitForSelector(`.${view}-view`);
  if (view === "match") await page.waitForSelector(".match-matrix tbody tr");
  if (view === "text") await page.waitForSelector(".text-map:last-child .cells");
  if (view === "weights") await page.waitForSelector(".weights-part .histogram");
  if (view === "intervene") await page.waitForSelector(".effect tbody tr");
  if (view === "why") await page.waitForSelector(".why-part :is(canvas, .long-work button)");
  if (view === "lens") await page.waitForSelector(".layer-chart");
  if (view === "stream") await page.waitForSelector(".turns .cells");
  if (view === "attention") await page.waitForSelector(".token-matrix .cells");
  if (view === "probe") await resultOf(page, "[data-fitted] [data-layers]");
  if (view === "search") await page.waitForSelector("[data-found] + .search-map [data-mapped]");
  if (view === "parity") await page.waitForSelector("[data-verified] [data-pair]");
  if (view === "compare") await page.waitForSelector("[data-pair], .side-problem");
}

/** What the screenshots show of a view. */
function shown(view: (typeof views)[number], width: number): string {
  if (view === "attention") return "?L=3&H=2&tok=15";
  if (view === "stream") return "?state=3&tok=15";
  if (view === "parity") return "?golden=text-tower&isolated=on";
  if (view === "compare") return "?b.img=s%3Atwo-red-circles&tap=visual.transformer.resblocks.2.attn";
  return view === "pass" && width === 1280 ? "?tap=visual.transformer.resblocks.2.attn" : "";
}

interface Drawn {
  readonly milliseconds: number;
  /** The map over the image, as a data URL. */
  readonly picture: string;
}

/** Runs in the page: goes to the next image, and waits until its attention is drawn. */
function drawNextImage(): Promise<Drawn> {
  const start = performance.now();
  const before = location.hash;
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "]", bubbles: true, cancelable: true }));
  return new Promise((resolve) => {
    const look = (): void => {
      const isDrawn =
        location.hash !== before &&
        document.querySelector(".status.live:not(.busy)") !== null &&
        document.querySelector(".attention-view.stale") === null;
      const canvas = document.querySelector<HTMLCanvasElement>(".attention-view .patch-stage canvas");
      if (!isDrawn || canvas === null) requestAnimationFrame(look);
      else resolve({ milliseconds: performance.now() - start, picture: canvas.toDataURL() });
    };
    requestAnimationFrame(look);
  });
}

describe("the studio", () => {
  let studio: StudioBrowser;
  const folder = temporaryFolder();
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  it("shows the stored pass at once, then live values", async () => {
    const start = performance.now();
    const page = await studio.open();
    await page.waitForSelector(".result .number");
    report("stored pass", performance.now() - start, budgets.stored);
    await live(page);
    report("live", performance.now() - start, budgets.live);
    const stored = JSON.parse(await (await fetch(`${studio.url}first-pass.json`)).text()) as {
      joint: { cosine: number };
    };
    await eventually(async () => {
      const shown = await page.locator(".result .number").first().textContent();
      assert.equal(shown?.trim(), `cosine ${stored.joint.cosine.toFixed(3)}`);
    });
  });

  it("classifies the samples as the command line does", async () => {
    const page = await studio.open("#/match?score=labels");
    await ready(page, "match");
    const labels = await page.locator(".match-matrix thead th").allTextContents();
    const { stdout } = await clipscope([
      "classify",
      `${demoModel}/samples`,
      "--labels",
      labels.join(","),
      "--backend",
      "wasm",
      "--json",
    ]);
    const expected = JSON.parse(stdout) as {
      path: string;
      scores: { label: string; probability: number }[];
    }[];
    assert.equal(expected.length, 8);
    for (const { path, scores } of expected) {
      const name = path.replace(/^.*\/|\.\w+$/g, "").replaceAll("-", " ");
      const row = page.locator(".match-matrix tbody tr", { has: page.getByRole("button", { name }) });
      const shown = await row
        .locator("td")
        .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("title"))));
      for (const { label, probability } of scores) {
        const at = shown[labels.indexOf(label)]!;
        assert.ok(Math.abs(at - probability) <= 1e-4, `${name}, ${label}: ${at}, expected ${probability}`);
      }
      const bestShown = await row
        .locator("td.best")
        .evaluate((cell) => (cell as HTMLTableCellElement).cellIndex - 1);
      assert.equal(labels[bestShown], scores[0]!.label);
    }
  });

  it("draws every head and the rollout as trace --figures does", async () => {
    const page = await studio.open("#/attention?img=s%3Athree-brown-stars");
    await ready(page, "attention");
    const compareWith = async (hash: string, title: string, file: string): Promise<void> => {
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      await page
        .locator(".stage", { has: page.getByRole("heading", { name: title, exact: true }) })
        .waitFor();
      await page.waitForSelector(".attention-view:not(.stale) [data-stage] canvas:not(.unknown)");
      const drawn = await page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>("[data-stage] canvas")!;
        const copy = document.createElement("canvas");
        copy.width = canvas.width;
        copy.height = canvas.height;
        copy.getContext("2d")!.drawImage(canvas, 0, 0);
        return copy.toDataURL("image/png").replace(/^.*,/, "");
      });
      const ours = await decodeImage(Buffer.from(drawn, "base64"), "canvas", nodeCodecs());
      const png = await decodeImage(await readFile(file), file, nodeCodecs());
      // The file holds the image, a gap of two pixels, and the map; captions and the legend are below.
      const left = ours.width + 2;
      assert.ok(png.width >= left + ours.width && png.height > ours.height, file);
      let worst = 0;
      for (let y = 0; y < ours.height; y++) {
        for (let x = 0; x < ours.width; x++) {
          for (let c = 0; c < 3; c++) {
            const theirs = Number(png.data[(y * png.width + left + x) * png.stride + c]);
            worst = Math.max(
              worst,
              Math.abs(theirs - Number(ours.data[(y * ours.width + x) * ours.stride + c])),
            );
          }
        }
      }
      assert.ok(worst <= 1, `${hash}: channels differ by up to ${worst}`);
    };
    const out = join(folder.path, "figures");
    for (let layer = 0; layer < 4; layer++) {
      for (let head = 0; head < 4; head++) {
        await clipscope(
          ["trace", "--image", sample, "--figures", out, "--backend", "wasm"].concat([
            "--layer",
            `${layer}`,
            "--head",
            `${head}`,
          ]),
        );
        const hash = `#/attention?img=s%3Athree-brown-stars&L=${layer}&H=${head}`;
        const file = join(out, `attention-layer-${layer}-head-${head}.png`);
        await compareWith(hash, `Layer ${layer}, head ${head}`, file);
      }
    }
    await compareWith(
      "#/attention?img=s%3Athree-brown-stars&L=3&mode=rollout",
      "Rollout to layer 3",
      join(out, "attention-rollout.png"),
    );
  });

  it("has every tap of trace --out, with its values", async () => {
    const out = join(folder.path, "trace.safetensors");
    const { stderr, status } = await clipscope(
      ["trace", "--image", sample, "--text", text, "--out", out, "--backend", "wasm"].concat([
        "--taps",
        "*",
        "--taps",
        "*#*",
      ]),
    );
    assert.equal(status, 0, stderr);
    const written = await SafetensorsFile.open(await FileSource.open(out));
    const trace = new StoredTrace(written);
    const page = await studio.open(`#/pass?img=s%3Athree-brown-stars&txt=${encodeURIComponent(text)}`);
    await ready(page, "pass");
    await page.locator(".card-head[aria-expanded=false]").evaluateAll((buttons) => {
      for (const button of buttons) (button as HTMLButtonElement).click();
    });
    const names = await page
      .locator("[data-tap]")
      .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-tap")!));
    assert.deepEqual(names.toSorted(), trace.taps.map(({ name }) => name).toSorted());
    let worst = 0;
    for (const { name, shape } of trace.taps) {
      await page.locator(`[data-tap="${name}"]`).evaluate((button) => {
        (button as HTMLButtonElement).click();
      });
      await page.waitForSelector(`[data-values="${name}"]`);
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save .safetensors" }).click(),
      ]);
      const file = await SafetensorsFile.open(await FileSource.open(await download.path()));
      const saved = new StoredTrace(file);
      assert.deepEqual(saved.taps, [{ name, shape }]);
      const { relativeL2 } = compare(await saved.read(name), await trace.read(name));
      await file.close();
      assert.ok(relativeL2 <= 1e-5, `${name}: relative L2 ${relativeL2}`);
      worst = Math.max(worst, relativeL2);
    }
    await written.close();
    console.log(`      ${trace.taps.length} taps, worst relative L2 ${worst}`);
  });

  it("draws the attention of each image of the tray, the same when its pass is kept", async () => {
    const page = await studio.open("#/attention");
    await ready(page, "attention");
    const rounds: Drawn[][] = [[], []];
    for (const round of rounds) for (let i = 0; i < 8; i++) round.push(await page.evaluate(drawNextImage));
    const pictures = rounds.map((round) => round.map(({ picture }) => picture));
    assert.equal(new Set(pictures[0]).size, 8);
    assert.deepEqual(pictures[1], pictures[0]);
    for (const [i, what] of ["another image", "an image whose pass is kept"].entries()) {
      const times = rounds[i]!.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
      report(`attention of ${what}, median`, times[4]!, budgets.attention);
    }
  });

  it("copies a program and a command that print the selected value's statistics", async () => {
    const page = await studio.open();
    await ready(page, "pass");
    for (const tap of ["visual.transformer.resblocks.2.attn", "text.pooler", "logits_per_image"]) {
      await page.evaluate((to) => {
        location.hash = to;
      }, `#/pass?tap=${tap}`);
      await page.waitForSelector(`[data-values="${tap}"]`);
      const copied = (name: string): Promise<string> =>
        copiedBy(page.locator(".inspector").getByRole("button", { name }));
      const program = await copied("Copy TypeScript");
      // Inside the package, whose own name it imports.
      const file = `${packageRoot}dist/copied-${process.pid}.mjs`;
      writeFileSync(
        file,
        ts.transpileModule(program, { compilerOptions: { target: ts.ScriptTarget.ES2022 } }).outputText,
      );
      const run = spawnSync(process.execPath, [file], {
        encoding: "utf8",
        env: { ...process.env, CLIPSCOPE_BACKEND: "wasm" },
      });
      rmSync(file);
      assert.equal(run.status, 0, run.stderr);
      const command = await copied("Copy command");
      const traced = spawnSync(`${command} --json --backend wasm`, {
        cwd: packageRoot,
        encoding: "utf8",
        shell: true,
      });
      assert.equal(traced.status, 0, traced.stderr);
      const [row] = JSON.parse(traced.stdout) as [{ name: string; norm: number }];
      assert.equal(row.name, tap);
      const printed = Number(/norm: ([\d.]+)/.exec(run.stdout)?.[1]);
      assert.ok(Math.abs(printed - row.norm) < 1e-5 * row.norm, `${run.stdout} lacks ${row.norm}`);
      const shown = await page.locator(".statistics div", { hasText: "norm" }).locator("dd").textContent();
      assert.ok(Math.abs(Number(shown) - row.norm) < 1e-3 * row.norm, `${shown}, expected ${row.norm}`);
    }
  });

  it("restores a view from its address, and steps back and forward", async () => {
    const hash = "#/attention?img=s%3Atwo-red-circles&L=3&H=mean&mode=to&scale=abs";
    const page = await studio.open(hash);
    await ready(page, "attention");
    const heading = page.locator(".stage h2");
    await hasText(heading, "Layer 3, mean over heads");
    assert.equal(await page.evaluate(() => location.hash), hash);
    await page.getByRole("button", { name: "Layer 1, head 2" }).click();
    await hasText(heading, "Layer 1, head 2");
    await page.goBack();
    await hasText(heading, "Layer 3, mean over heads");
    await page.goForward();
    await hasText(heading, "Layer 1, head 2");
  });

  it("answers a damaged address, and an image of another browser, with a notice", async () => {
    const page = await studio.open(`#/nowhere?L=x&img=sha%3A${"0".repeat(64)}`);
    await page.waitForSelector(".missing");
    await hasText(page.locator("h1"), "Pass");
    await eventually(async () => {
      assert.deepEqual(await page.locator(".notices li span").allTextContents(), [
        'There is no view "nowhere"; this is the view "pass".',
        'L: expected a whole number, found "x".',
      ]);
    });
  });

  it("takes dropped images, keeps them for a reload, and refuses other files", async () => {
    const page = await studio.open();
    await live(page);
    const input = page.locator("input[type=file]").first();
    const heart = `${demoModel}/samples/orange-heart.jpg`;
    await input.setInputFiles(heart);
    await page.waitForFunction(() => location.hash.includes("img=sha"));
    await live(page);
    await page.reload();
    await live(page);
    await page.getByAltText("Current image: orange-heart.jpg").waitFor();
    await input.setInputFiles({ name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no image") });
    await page.getByText(/^notes\.png: expected an image/).waitFor();
    // A file that is not the current image is refused where it is first read.
    await page.keyboard.press(`${viewNames.indexOf("match") + 1}`);
    await input.setInputFiles([
      { name: "first.png", mimeType: "image/png", buffer: Buffer.from("not an image") },
      { name: "cut.jpg", mimeType: "image/jpeg", buffer: (await readFile(heart)).subarray(0, 20_000) },
    ]);
    await page.getByText(/^first\.png: expected an image/).waitFor();
    await page.getByText(/^cut\.jpg: expected a complete JPEG image/).waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".match-matrix tbody tr").length === 9);
    await eventually(async () => {
      assert.equal(await page.getByRole("button", { name: /^Remove .*\.(png|jpg)$/ }).count(), 1);
    });
  });

  it("runs each text that is typed, in any language", async () => {
    const page = await studio.open();
    await live(page);
    await page.getByLabel("New text").fill("三つの茶色い星");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector(".result q")?.textContent === "三つの茶色い星");
    await live(page);
    await hasText(page.locator(".texts li.current .language"), "ja");
    await page.getByRole("button", { name: "The same in seven languages" }).click();
    await page.locator(".texts li").nth(6).waitFor();
    assert.equal(await page.locator(".texts li").count(), 7);
  });

  it("is used by the keyboard alone", async () => {
    const page = await studio.open();
    await live(page);
    await page.keyboard.press("2");
    await ready(page, "attention");
    await page.keyboard.press("j");
    await page.keyboard.press("l");
    await hasText(page.locator(".stage h2"), "Layer 1, head 1");
    await page.locator("[data-stage]").focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => location.hash.includes("tok=1"));
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => location.hash.includes("tok=7"));
    await page.keyboard.press("/");
    await page.waitForSelector("dialog.search input:focus");
    await page.keyboard.type("resblocks.1 gelu");
    await hasText(
      page.getByRole("option", { selected: true }).locator(".name"),
      "visual.transformer.resblocks.1.mlp.gelu",
    );
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-values="visual.transformer.resblocks.1.mlp.gelu"]');
    await page.keyboard.press("Escape");
    await page.waitForSelector(".inspector.empty", { state: "attached" });
    await page.keyboard.press("?");
    await page.waitForSelector("dialog.help");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
  });

  for (const view of views) {
    it(`shows the focus everywhere in ${view}, and does not trap it`, async () => {
      const page = await studio.open(`#/${view}`);
      await ready(page, view);
      await page.evaluate(() => {
        (document.activeElement as HTMLElement | null)?.blur();
      });
      // By identity: places in the document change while results arrive.
      const seen = await page.evaluateHandle(() => new WeakSet<Element>());
      let stops = 0;
      for (; stops < 200; stops++) {
        await page.keyboard.press("Tab");
        const outline = await page.evaluate((known) => {
          const element = document.activeElement!;
          if (element === document.body || known.has(element)) return null;
          known.add(element);
          const track =
            element.nextElementSibling?.matches(".track") === true ? element.nextElementSibling : element;
          return getComputedStyle(track).outlineStyle;
        }, seen);
        if (outline === null) break;
        assert.notEqual(outline, "none", `no outline at the ${stops}th stop`);
      }
      assert.ok(stops > 15 && stops < 200, `${stops} stops`);
    });
  }

  it("has no violation of WCAG 2.2 AA, in both themes and both widths", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [360, 1280]) {
        // Colours move over 160 ms, and have no contrast meanwhile.
        const reducedMotion = "reduce";
        const page = await studio.open("", { colorScheme, reducedMotion, viewport: { width, height: 800 } });
        await page.evaluate(axe);
        for (const hash of [
          ...views,
          "pass?tap=visual.transformer.resblocks.2.attn",
          "pass?tap=text.pooler",
          "attention?walk=6&L=3&H=2",
        ]) {
          await page.evaluate((to) => {
            location.hash = to;
          }, `#/${hash}`);
          await ready(page, hash.split("?")[0] as (typeof views)[number]);
          const violations = await page.evaluate(async () => {
            const { axe } = globalThis as unknown as {
              axe: {
                run(
                  context: Document | Element,
                  options: object,
                ): Promise<{
                  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
                }>;
              };
            };
            const tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
            // What scrolls below the walk's panel is obscured there, for which axe has no exception.
            const context = document.querySelector(".walk") ?? document;
            const { violations: found } = await axe.run(context, { runOnly: { type: "tag", values: tags } });
            return found.map(
              ({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""} ${nodes[0]?.failureSummary ?? ""}`,
            );
          });
          assert.deepEqual(violations, [], `${hash}, ${colorScheme}, ${width} px`);
        }
        await page.context().close();
      }
    }
  });

  it("fits every width from 360 px without a horizontal scroll, and cuts no text", async () => {
    for (const width of [360, 768, 1280, 1920]) {
      const page = await studio.open("", { viewport: { width, height: 800 } });
      for (const view of views) {
        await page.evaluate((to) => {
          location.hash = to;
        }, `#/${view}`);
        await ready(page, view);
        const { scroll, cut } = await page.evaluate(() => ({
          scroll: document.documentElement.scrollWidth - innerWidth,
          cut: [
            ...document.querySelectorAll<HTMLElement>("h1, h2, h3, p, button, dt, dd, label, .name, .shape"),
          ]
            .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
            .map((element) => element.outerHTML.slice(0, 120)),
        }));
        assert.ok(scroll <= 0, `${view} at ${width} px is ${scroll} px too wide`);
        assert.deepEqual(cut, [], `${view} at ${width} px`);
      }
    }
  });

  it("leaves no tensors and little memory behind", async () => {
    const page = await studio.open("#/pass");
    await live(page);
    const tensors = (): Promise<number> =>
      page.workers()[0]!.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const scope = globalThis as unknown as {
              postMessage: (reply: { id: number; result: number }) => void;
            };
            const send = scope.postMessage;
            scope.postMessage = (reply) => {
              if (reply.id !== -1) {
                send.call(globalThis, reply);
                return;
              }
              scope.postMessage = send;
              resolve(reply.result);
            };
            const data = { id: -1, call: "tensors", params: null };
            globalThis.dispatchEvent(new MessageEvent("message", { data }));
          }),
      );
    const tour = async (): Promise<void> => {
      await page.keyboard.press("1");
      for (const view of views) {
        await ready(page, view);
        await page.keyboard.press("n");
      }
      await page.keyboard.press("1");
    };
    const session = await page.context().newCDPSession(page);
    const heap = async (): Promise<number> => {
      await session.send("HeapProfiler.collectGarbage");
      return (await session.send("Runtime.getHeapUsage")).usedSize;
    };
    await tour();
    const before = { tensors: await tensors(), heap: await heap() };
    for (let i = 0; i < 50; i++) {
      await page.getByLabel("New text").fill(`text ${i}`);
      await page.keyboard.press("Enter");
      await page.waitForFunction((n) => document.querySelector(".result q")?.textContent === `text ${n}`, i);
      await live(page);
      await page.getByRole("button", { name: `Remove text ${i}` }).click();
    }
    await page.evaluate(() => {
      (document.activeElement as HTMLElement | null)?.blur();
    });
    await tour();
    await live(page);
    assert.equal(await tensors(), before.tensors);
    const grown = ((await heap()) - before.heap) / 2 ** 20;
    console.log(`      the page's heap grew by ${grown.toFixed(1)} MB`);
    assert.ok(grown < 10);
  });

  it("is photographed in both themes and both widths", async () => {
    await mkdir(shots, { recursive: true });
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of [360, 1280]) {
        const reducedMotion = "reduce";
        const page = await studio.open("", { colorScheme, reducedMotion, viewport: { width, height: 860 } });
        for (const view of views) {
          await page.evaluate(
            (to) => {
              location.hash = to;
            },
            `#/${view}${shown(view, width)}`,
          );
          await ready(page, view);
          await page.screenshot({
            path: join(shots, `${view}-${colorScheme}-${width}.png`),
            fullPage: width === 360,
          });
        }
      }
    }
  });
});
