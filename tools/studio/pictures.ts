/**
 * Writes the pictures of docs/studio: the page in Chromium, in both themes.
 *
 *     node dist/tools/studio/pictures.js
 *
 * `npm run build` builds the page before. The files have a palette of 256 colours, which keeps them small.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { packageRoot } from "../../spec/support/paths.ts";
import { live, resultOf, StudioBrowser } from "../../spec/support/studio.ts";

const labels = ["one brown star", "two brown stars", "three brown stars", "four brown stars"];
const counted = new URLSearchParams({ labels: labels.join("\n"), label: labels[2]! }).toString();

interface Picture {
  readonly name: string;
  readonly hash: string;
  /** Is there once the view is complete. */
  readonly complete: string;
}

const pictures: readonly Picture[] = [
  {
    name: "pass",
    hash: "#/pass?tap=visual.transformer.resblocks.2.attn",
    complete: '[data-values="visual.transformer.resblocks.2.attn"] canvas',
  },
  { name: "attention", hash: "#/attention?L=3&H=2&tok=15", complete: ".token-matrix .cells" },
  { name: "why", hash: "#/why?method=relevance", complete: ".why-curve .layer-chart" },
  {
    name: "walk",
    hash: `#/intervene?walk=14&${counted}&L=3&donor=s:two-red-circles`,
    complete: 'button[aria-label="Save causal-trace.csv"]',
  },
  {
    name: "parity",
    hash: "#/parity?golden=text-tower&isolated=on",
    complete: '[data-verified="44"] [data-pair] canvas',
  },
];

const studio = await StudioBrowser.start();
try {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const { name, hash, complete } of pictures) {
      const page = await studio.open(hash, { colorScheme, reducedMotion: "reduce" });
      await live(page);
      await resultOf(page, complete);
      await live(page);
      const shot = await page.screenshot();
      const file = join(packageRoot, "docs", "studio", `${name}-${colorScheme}.png`);
      const small = await sharp(shot).png({ palette: true, colours: 256, effort: 10 }).toBuffer();
      await writeFile(file, small);
      console.log(`${file}: ${Math.round(small.length / 1000)} kB`);
      await studio.closePages();
    }
  }
} finally {
  await studio.stop();
}
