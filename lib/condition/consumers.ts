/**
 * Image generators that take CLIP's tensors: the tensors' names and shapes, the weights that they were trained with, and
 * how they prepare images.
 *
 * Source: the pipelines of diffusers 0.40.
 */
import type { Preparation } from "./prepare-image.ts";

/** A family of generators. */
export interface Consumer {
  readonly title: string;
  /** What conditions it. */
  readonly input: "image" | "text";
  /** The names of its tensors. */
  readonly tensors: readonly string[];
  /** Which tensor it takes: an embedding per image, or the states of all tokens. */
  readonly states: "embedding" | "penultimate";
  /** The published weights that it was trained with. */
  readonly weights: string;
  /** The width of its tensor. */
  readonly width: number;
  /** How its pipeline prepares images; null for texts. */
  readonly preparation: Preparation | null;
}

const english =
  "the image tower of laion/CLIP-ViT-H-14-laion2B-s32B-b79K, which the multilingual model shares";

export const consumers = {
  sd2: {
    title: "Stable Diffusion 2",
    input: "text",
    tensors: ["prompt_embeds", "negative_prompt_embeds"],
    states: "penultimate",
    weights: "the English text tower of laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    width: 1024,
    preparation: null,
  },
  unclip: {
    title: "Stable unCLIP 2.1",
    input: "image",
    tensors: ["image_embeds"],
    states: "embedding",
    weights: english,
    width: 1024,
    preparation: "transformers",
  },
  "ip-adapter": {
    title: "IP-Adapter with ViT-H/14",
    input: "image",
    tensors: ["ip_adapter_image_embeds"],
    states: "embedding",
    weights: english,
    width: 1024,
    preparation: "transformers",
  },
  "ip-adapter-plus": {
    title: "IP-Adapter Plus with ViT-H/14",
    input: "image",
    tensors: ["ip_adapter_image_embeds"],
    states: "penultimate",
    weights: english,
    width: 1280,
    preparation: "transformers",
  },
  svd: {
    title: "Stable Video Diffusion",
    input: "image",
    tensors: ["image_embeddings"],
    states: "embedding",
    weights: english,
    width: 1024,
    preparation: "svd",
  },
  wan: {
    title: "Wan 2.1 image to video",
    input: "image",
    tensors: ["image_embeds"],
    states: "penultimate",
    weights: "the image tower of laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k",
    width: 1280,
    preparation: "transformers",
  },
} as const satisfies Record<string, Consumer>;

/** The name of a consumer. */
export type ConsumerName = keyof typeof consumers;

/** The names of all consumers. */
export const consumerNames = Object.keys(consumers) as ConsumerName[];

/** The consumers that take images, or texts. */
export function consumersOf(input: Consumer["input"]): ConsumerName[] {
  return consumerNames.filter((name) => consumers[name].input === input);
}
