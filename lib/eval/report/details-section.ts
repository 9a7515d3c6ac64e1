/** What explains one result: its data and prompts, its classes, what it confuses, and its worst answers. */
import { confusionChart } from "../../draw/charts/confusion-chart.ts";
import { themed } from "../../draw/themed.ts";
import type { ClassFigures, Details, PromptSummary, WorstRetrieval } from "../evaluation.ts";
import { anchor } from "./figures-section.ts";
import { empty, html, Html } from "./html.ts";
import type { ReportedResult, ResultEvaluation } from "./reported-result.ts";

/** Thumbnails of images by name, as data URLs; an image without one is shown by its name. */
export type Thumbnails = ReadonlyMap<string, string>;

const mostWorstClasses = 15;
const mostWorstRetrievals = 12;
const mostDrawnClasses = 120;
const mostFailures = 10;

/** The images that a report shows. */
export function shownImages(results: readonly ReportedResult[]): string[] {
  const names = results.flatMap(({ evaluation }) => {
    if (evaluation?.details.kind !== "retrieval") return [];
    const { worstImageRetrievals: captions, worstTextRetrievals: images } = evaluation.details;
    return [
      ...captions.slice(0, mostWorstRetrievals).flatMap(({ image, instead }) => [image, instead]),
      ...images.slice(0, mostWorstRetrievals).map(({ image }) => image),
    ];
  });
  return [...new Set(names)];
}

/** @param id unique in the page */
export async function detailsSection(
  result: ReportedResult & { readonly evaluation: ResultEvaluation },
  thumbnails: Thumbnails,
  id: string,
): Promise<Html> {
  const { record, evaluation } = result;
  return html`<section id="${anchor(result)}">
    <h3>${record.dataset} <small>${record.language}, ${record.task}</small></h3>
    ${provenance(evaluation)} ${await explanation(evaluation.details, thumbnails, id)}
  </section>`;
}

function provenance(evaluation: ResultEvaluation): Html {
  const { images, datasetImages, failed, ties, layout, split, imagesSha256, prompts } = evaluation;
  const count = images === datasetImages ? `${images}` : `${images} of ${datasetImages}`;
  const rows: [string, Html][] = [
    ["images", html`${count}${split === null ? "" : `, split ${split}`} (${layout})`],
    ["digest of the images", html`<code>${imagesSha256.slice(0, 16)}</code>`],
    ...(prompts === null ? [] : promptRows(prompts)),
    ...(ties === 0
      ? []
      : [["ties", html`${ties} answers depend on the order of equal scores`] as [string, Html]]),
    ...(failed.length === 0 ? [] : [["unreadable", failures(failed)] as [string, Html]]),
  ];
  return html`<dl>
    ${rows.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

function promptRows({
  sources,
  isFallback,
  classes,
  prompts,
  first,
  names,
}: PromptSummary): [string, Html][] {
  const repeated = names.repeated.map(
    ({ name, classes: of }) => `${JSON.stringify(name)} (${of.length} classes)`,
  );
  return [
    ["class names", html`${classes} from <code>${sources.classNames}</code>`],
    [
      "templates",
      html`${prompts} prompts from <code>${sources.templates}</code>${
          isFallback ? ", ImageNet's, because there are none for the dataset" : ""
        }`,
    ],
    ["first prompts", html`${first.map((prompt) => html`<code>${prompt}</code> `)}`],
    ...(repeated.length === 0 ? [] : [["repeated names", html`${repeated.join(", ")}`] as [string, Html]]),
    ...(names.blank.length === 0
      ? []
      : [["blank names", html`${names.blank.length} of ${classes}`] as [string, Html]]),
  ];
}

function failures(failed: ResultEvaluation["failed"]): Html {
  const shown = failed.slice(0, mostFailures).map(({ image, reason }) => html`<li>${image}: ${reason}</li>`);
  const rest = failed.length > mostFailures ? html`<li>… ${failed.length - mostFailures} more</li>` : empty;
  return html`${failed.length} images
    <ul>
      ${shown}${rest}
    </ul>`;
}

async function explanation(details: Details, thumbnails: Thumbnails, id: string): Promise<Html> {
  switch (details.kind) {
    case "classification":
      return html`${await confusion(details, id)} ${worstClasses(details)}`;
    case "multilabel":
      return labels(details);
    case "retrieval":
      return retrieval(details, thumbnails);
    case "selection":
      return html`<p>${details.wrong.length} of ${details.instances} instances are answered wrongly.</p>`;
    case "linear_probe":
      return html`<p>
          Fitted on ${details.trainImages} images, weight decay ${details.weightDecay.toPrecision(3)}.
        </p>
        ${await confusion(details, id)} ${worstClasses(details)}`;
  }
}

type Classification = Pick<Extract<Details, { kind: "classification" }>, "classes" | "confusions">;

async function confusion({ classes, confusions }: Classification, id: string): Promise<Html> {
  if (classes.length > mostDrawnClasses) return empty;
  const matrix = classes.map(() => new Map<number, number>());
  for (const [truth, predicted, images] of confusions) matrix[truth]!.set(predicted, images);
  const reports = classes.map(({ examples, recall, precision }) => ({
    examples,
    recall: recall ?? undefined,
    precision: precision ?? undefined,
  }));
  const names = classes.map(shown);
  const chart = await confusionChart(names, { classes: reports, confusion: matrix });
  return html`<figure>${new Html(themed(chart, id))}</figure>`;
}

function worstClasses({ classes, confusions }: Classification): Html {
  const worst = [...classes.keys()]
    .filter((c) => classes[c]!.recall !== null && classes[c]!.recall < 1)
    .toSorted((a, b) => classes[a]!.recall! - classes[b]!.recall! || a - b)
    .slice(0, mostWorstClasses);
  if (worst.length === 0) return empty;
  const mistakes = (c: number): string =>
    confusions
      .filter(([truth, predicted]) => truth === c && predicted !== c)
      .toSorted((a, b) => b[2] - a[2])
      .slice(0, 3)
      .map(([, predicted, images]) => `${shown(classes[predicted]!)} (${images})`)
      .join(", ");
  return html`<h4>Classes with the lowest recall</h4>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">class</th>
            <th scope="col" class="number">images</th>
            <th scope="col" class="number">recall</th>
            <th scope="col" class="number">precision</th>
            <th scope="col">taken for</th>
          </tr>
        </thead>
        <tbody>
          ${worst.map((c) => {
            const { examples, recall, precision } = classes[c]!;
            return html`<tr>
              <th scope="row">${shown(classes[c]!)}</th>
              <td class="number">${examples}</td>
              <td class="number">${percent(recall)}</td>
              <td class="number">${percent(precision)}</td>
              <td>${mistakes(c)}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
}

function labels({ classes }: Extract<Details, { kind: "multilabel" }>): Html {
  const sorted = classes.toSorted((a, b) => a.averagePrecision - b.averagePrecision);
  return html`<h4>Classes with the lowest average precision</h4>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th scope="col">class</th>
            <th scope="col" class="number">images</th>
            <th scope="col" class="number">average precision</th>
          </tr>
        </thead>
        <tbody>
          ${sorted.slice(0, mostWorstClasses).map(
            (label) =>
              html`<tr>
                <th scope="row">${shown(label)}</th>
                <td class="number">${label.positives}</td>
                <td class="number">${label.averagePrecision.toFixed(4)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function retrieval(details: Extract<Details, { kind: "retrieval" }>, thumbnails: Thumbnails): Html {
  const { captions, imageRank, textRank, worstImageRetrievals, worstTextRetrievals } = details;
  return html`<p>
      ${captions} captions. The right image has the mean rank ${imageRank.mean.toFixed(1)} and the median rank
      ${imageRank.median}; the best caption of an image ${textRank.mean.toFixed(1)} and ${textRank.median}.
    </p>
    ${gallery(
      "Captions whose image is furthest behind",
      worstImageRetrievals,
      ({ image, caption, rank, instead }) =>
        card(caption, [
          picture(thumbnails, image, `its image, rank ${rank}`),
          picture(thumbnails, instead, "first image"),
        ]),
    )}
    ${gallery(
      "Images whose captions are furthest behind",
      worstTextRetrievals,
      ({ image, caption, rank, instead }) =>
        card(caption, [
          picture(thumbnails, image, caption === null ? "no captions" : `best caption: rank ${rank}`),
          html`<div class="text"><span>${quoted(instead)}</span><small>first caption</small></div>`,
        ]),
    )}`;
}

function gallery(
  title: string,
  worst: readonly WorstRetrieval[],
  cardOf: (one: WorstRetrieval) => Html,
): Html {
  if (worst.length === 0) return empty;
  return html`<h4>${title}</h4>
    <div class="gallery">${worst.slice(0, mostWorstRetrievals).map(cardOf)}</div>`;
}

function card(caption: string | null, pictures: readonly Html[]): Html {
  const head =
    caption === null ? html`<p class="weak">no captions</p>` : html`<p dir="auto">${quoted(caption)}</p>`;
  return html`<div class="card">
    ${head}
    <div class="pictures">${pictures}</div>
  </div>`;
}

function picture(thumbnails: Thumbnails, name: string, about: string): Html {
  const url = thumbnails.get(name);
  const shown =
    url === undefined ? html`<span class="name">${name}</span>` : html`<img src="${url}" alt="${name}" />`;
  return html`<div title="${name}">${shown}<small>${about}</small></div>`;
}

function quoted(text: string): string {
  return text === "" ? "(empty)" : `“${text}”`;
}

function shown({ name }: Pick<ClassFigures, "name">): string {
  return name.trim() === "" ? "(blank)" : name;
}

function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)}%`;
}
