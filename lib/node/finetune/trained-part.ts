/** What a fine-tuning run trains: blocks or adapters of the towers, and a classifier or the logit scale. */
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Lora } from "../../nn/lora.ts";
import { RowTable } from "../../tensor/row-table.ts";
import type { TorchRandom } from "../../tensor/torch-random.ts";
import type { Weight } from "../../tensor/weight.ts";
import { ClassifierHead, type LinearValues } from "../../train/classifier-head.ts";
import type { DropoutShares } from "../../train/dropout.ts";
import { trainableWeights } from "../../train/locks.ts";
import { attachLora, loraTargets } from "../../train/lora-targets.ts";
import { pytorchOrder } from "../../train/parameter-order.ts";
import type { FinetuneSettings } from "./settings.ts";

export interface TrainedPart {
  /** All weights that are trained, those of the head last. */
  readonly weights: readonly Weight[];
  readonly adapters: readonly Lora[];
  /** Null for `flyp`, whose classifier is the text tower. */
  readonly head: ClassifierHead | null;
  readonly dropout: DropoutShares;
  /** The first block of the image tower that is trained. */
  readonly block: number;
  dispose(): void;
}

/**
 * @param start of the head, for `ce`
 * @throws InputError for more blocks than there are
 */
export function trainedPart(
  model: Clip,
  settings: FinetuneSettings,
  start: LinearValues,
  random: TorchRandom,
): TrainedPart {
  const { visual, text } = model;
  const { loss, lora } = settings;
  const blocks = lastOf(visual.blocks, settings.blocks, "--blocks");
  const ofText = settings.textBlocks ?? Math.min(settings.blocks, text.blocks.length);
  const textBlocks = loss === "flyp" ? lastOf(text.blocks, ofText, "--text-blocks") : [];
  const head = loss === "ce" ? new ClassifierHead(start) : null;
  const adapters =
    lora === null
      ? []
      : attachLora(loraTargets([...blocks, ...textBlocks], lora.modules), { ...lora, random });
  if (lora !== null && adapters.length === 0) {
    throw new InputError("--lora-rank: no block gets adapters; raise --blocks");
  }
  const own =
    lora === null
      ? ownWeights(model, settings, textBlocks.length)
      : adapters.flatMap(({ weights }) => weights);
  return {
    weights: [...own, ...(head?.weights ?? [])],
    adapters,
    head,
    dropout: new Map([
      ...(loss === "flyp"
        ? Array.from(text.dropout, ([tap, share]): [string, number] => [tap, settings.dropout ?? share])
        : []),
      ...adapters.map(({ inputTap }): [string, number] => [inputTap, lora!.dropout]),
    ]),
    block: visual.blocks.length - blocks.length,
    dispose: () => {
      for (const adapter of adapters) adapter.dispose();
      head?.dispose();
    },
  };
}

function lastOf<T>(blocks: readonly T[], count: number, option: string): readonly T[] {
  if (count <= blocks.length) return blocks.slice(blocks.length - count);
  throw new InputError(`${option} ${count}: the tower has ${blocks.length} blocks`);
}

/**
 * Of the image tower the last blocks, ln_post and proj, as open_clip unlocks groups; for `flyp` the same of the text
 * tower, and the logit scale. Word embeddings are never trained.
 */
function ownWeights(model: Clip, { loss, blocks }: FinetuneSettings, textBlocks: number): Weight[] {
  const { config, text, logitScale } = model;
  // The projection of CLIP's own text tower is a group; that of the others is never locked.
  const unlockedLayers = config.text.kind === "clip" ? textBlocks + 1 : textBlocks;
  const trained = trainableWeights(model, {
    image: { unlockedGroups: blocks + 1 },
    text: { unlockedLayers, freezeLayerNorm: true },
  });
  const isImage = (name: string): boolean => name.startsWith("visual.");
  const byName = new Map(
    [...trained].flatMap((handle): [string, Weight][] => {
      if (handle instanceof RowTable) throw new Error(`${text.scope.path}: ${handle.name} is a table`);
      const isWanted = loss === "flyp" || (handle !== logitScale && isImage(handle.name));
      return isWanted ? [[handle.name, handle]] : [];
    }),
  );
  return pytorchOrder(byName.keys(), config.text.kind === "bert").map((name) => byName.get(name)!);
}
