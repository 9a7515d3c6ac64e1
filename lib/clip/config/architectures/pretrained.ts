/**
 * The repositories of published weights on the Hugging Face Hub, by open_clip's names (architecture and tag).
 *
 * Source: open_clip 3.3.0, src/open_clip/pretrained.py, the rows whose architecture is supported here. `-quickgelu` rows
 * have `quick_gelu=True` there.
 */
export interface Pretrained {
  readonly architecture: string;
  readonly tag: string;
  readonly repository: string;
  /** If it differs from CLIP's own. */
  readonly preprocess?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** Used by LAION's L/14 only. */
const inception = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

export const pretrained: readonly Pretrained[] = [
  {
    architecture: "xlm-roberta-large-ViT-H-14",
    tag: "frozen_laion5b_s13b_b90k",
    repository: "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k",
  },
  {
    architecture: "xlm-roberta-base-ViT-B-32",
    tag: "laion5b_s13b_b90k",
    repository: "laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k",
  },
  {
    architecture: "ViT-H-14",
    tag: "laion2b_s32b_b79k",
    repository: "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
  },
  {
    architecture: "ViT-L-14",
    tag: "laion2b_s32b_b82k",
    repository: "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    preprocess: inception,
  },
  {
    architecture: "ViT-L-14",
    tag: "datacomp_xl_s13b_b90k",
    repository: "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
  },
  {
    architecture: "ViT-B-16",
    tag: "laion2b_s34b_b88k",
    repository: "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
  },
  {
    architecture: "ViT-B-16",
    tag: "datacomp_xl_s13b_b90k",
    repository: "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
  },
  {
    architecture: "ViT-B-32",
    tag: "laion2b_s34b_b79k",
    repository: "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
  },
  {
    architecture: "ViT-B-32",
    tag: "datacomp_xl_s13b_b90k",
    repository: "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
  },
  { architecture: "ViT-L-14-quickgelu", tag: "openai", repository: "timm/vit_large_patch14_clip_224.openai" },
  { architecture: "ViT-B-16-quickgelu", tag: "openai", repository: "timm/vit_base_patch16_clip_224.openai" },
  { architecture: "ViT-B-32-quickgelu", tag: "openai", repository: "timm/vit_base_patch32_clip_224.openai" },
];

/** The row of a repository. */
export function pretrainedOf(repository: string): Pretrained | undefined {
  return pretrained.find((row) => row.repository === repository);
}
