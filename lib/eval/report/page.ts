/** The results of a folder as one page of HTML, without scripts or other files, for light and dark themes. */
import type { ResultRecord } from "../record.ts";
import { detailsSection, type Thumbnails } from "./details-section.ts";
import { figuresTable, languageCharts, publishedChart } from "./figures-section.ts";
import { empty, html, Html } from "./html.ts";
import type { ReportedResult } from "./reported-result.ts";
import { style } from "./style.ts";

/**
 * Lays out a page: for each model all figures beside the published ones, with charts, then what explains each result.
 *
 * @param thumbnails images by name, for the worst retrievals; see `shownImages`
 * @returns the text of an HTML file
 */
export async function reportPage(
  results: readonly ReportedResult[],
  thumbnails: Thumbnails = new Map(),
): Promise<string> {
  const models = [...new Set(results.map(({ record }) => fullName(record)))];
  const sections = await Promise.all(
    models.map((name, m) =>
      modelSection(
        name,
        results.filter(({ record }) => fullName(record) === name),
        thumbnails,
        `m${m}`,
      ),
    ),
  );
  const title = models.length === 1 ? `Evaluation of ${models[0]!}` : `Evaluation of ${models.length} models`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p class="weak">
            Figures as CLIP_benchmark defines them, written by <code>clipscope eval report</code>. s.e.:
            standard error.
          </p>
          ${sections}
        </main>
      </body>
    </html>`;
  return `${page.source.replaceAll(/^ +/gm, "")}\n`;
}

function fullName({ model, pretrained }: ResultRecord): string {
  return model === pretrained ? model : `${model} ${pretrained}`;
}

async function modelSection(
  name: string,
  results: readonly ReportedResult[],
  thumbnails: Thumbnails,
  id: string,
): Promise<Html> {
  const languages = languageCharts(results, `${id}-l`);
  const details = await Promise.all(
    results.flatMap(({ evaluation, ...result }, r) =>
      evaluation === null ? [] : [detailsSection({ ...result, evaluation }, thumbnails, `${id}-d${r}`)],
    ),
  );
  return html`<h2>${name}</h2>
    ${figuresTable(results)} ${publishedChart(results, `${id}-p`)}
    ${
      languages.length === 0
        ? empty
        : html`<h3>Languages</h3>
            <div class="charts">${languages}</div>`
    }
    ${details}`;
}
