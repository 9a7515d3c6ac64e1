/** Retrieval of images by captions, and of captions by images. */
import { InputError } from "../../errors/input-error.ts";
import { nameOf } from "../../tasks/image-source.ts";
import type { RetrievalDataset } from "../dataset.ts";
import type { ImageEmbeddings } from "../embeddings/image-embeddings.ts";
import type { TextEmbeddings, TextProgress } from "../embeddings/text-embeddings.ts";
import { shareError, type RankSummary, type TaskResult, type WorstRetrieval } from "../evaluation.ts";
import { retrievalMetrics, retrievalRanks, type RetrievalRanks } from "../metrics/retrieval.ts";

/** Queries that the details list. */
const mostListed = 50;

/** The captions of the images that are asked for. */
export function captionsOf({ captions }: RetrievalDataset, images: readonly number[]): Captions {
  const texts: string[] = [];
  const imageOf: number[] = [];
  for (const [row, image] of images.entries()) {
    for (const caption of captions[image]!) {
      texts.push(caption);
      imageOf.push(row);
    }
  }
  return { texts, imageOf };
}

interface Captions {
  readonly texts: readonly string[];
  /** The row of each caption's image. */
  readonly imageOf: readonly number[];
}

/** @param ks the numbers of candidates among which the right one has to be */
export async function evaluateRetrieval(
  dataset: RetrievalDataset,
  { rows, images }: ImageEmbeddings,
  texts: TextEmbeddings,
  ks: readonly number[],
  onProgress?: TextProgress,
): Promise<TaskResult> {
  const captions = captionsOf(dataset, images);
  if (captions.texts.length === 0) {
    throw new InputError(`${dataset.name}: expected at least one caption, found none`);
  }
  const prepared = await texts.prepare(captions.texts, onProgress);
  const ranks = await retrievalRanks(rows, await texts.rows(captions.texts), captions.imageOf);
  const { metrics, ties } = retrievalMetrics(ranks, ks);
  const standardErrors = Object.entries(metrics).map(([name, share]) => {
    const queries = name.startsWith("image") ? captions.texts.length : rows.rows;
    return [name, shareError(share, queries)] as const;
  });
  const names = images.map((image) => nameOf(dataset.images[image]!));
  return {
    metrics,
    standardErrors: Object.fromEntries(standardErrors),
    ties,
    details: {
      kind: "retrieval",
      captions: captions.texts.length,
      imageRank: summarize(ranks.imageOfCaption.ranks),
      textRank: summarize(ranks.captionOfImage.ranks),
      worstImageRetrievals: worstCaptions(ranks, captions, names),
      worstTextRetrievals: worstImages(ranks, captions, names),
    },
    prompts: null,
    texts: prepared,
    images: rows.rows,
  };
}

function summarize(ranks: Int32Array): RankSummary {
  const sorted = ranks.toSorted();
  const middle = sorted.length / 2;
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
  return { mean: ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length + 1, median: median + 1 };
}

/** The queries whose right answer is furthest behind, without those that are answered correctly. */
function furthest(ranks: Int32Array): number[] {
  return [...ranks.keys()]
    .filter((query) => ranks[query]! > 0)
    .sort((a, b) => ranks[b]! - ranks[a]! || a - b)
    .slice(0, mostListed);
}

function worstCaptions(
  { imageOfCaption: { ranks, nearest } }: RetrievalRanks,
  { texts, imageOf }: Captions,
  names: readonly string[],
): WorstRetrieval[] {
  return furthest(ranks).map((caption) => ({
    image: names[imageOf[caption]!]!,
    caption: texts[caption]!,
    rank: ranks[caption]! + 1,
    instead: names[nearest[caption]!]!,
  }));
}

function worstImages(
  { captionOfImage: { ranks, nearest } }: RetrievalRanks,
  { texts, imageOf }: Captions,
  names: readonly string[],
): WorstRetrieval[] {
  const firstCaption = new Map<number, number>();
  for (const [caption, image] of imageOf.entries()) {
    if (!firstCaption.has(image)) firstCaption.set(image, caption);
  }
  return furthest(ranks).map((image) => {
    const caption = firstCaption.get(image);
    return {
      image: names[image]!,
      caption: caption === undefined ? null : texts[caption]!,
      rank: ranks[image]! + 1,
      instead: texts[nearest[image]!]!,
    };
  });
}
