/** Repositories of other projects' models that `pull` lists. Others with a supported `config.json` can be pulled, too. */
export interface Comparator {
  readonly repository: string;
  readonly about: string;
  /** Of the weights, if it restricts more than this package's own. */
  readonly license?: string;
}

export const comparators: readonly Comparator[] = [
  { repository: "OFA-Sys/chinese-clip-vit-base-patch16", about: "Chinese-CLIP, ViT-B/16" },
  { repository: "OFA-Sys/chinese-clip-vit-large-patch14", about: "Chinese-CLIP, ViT-L/14" },
  {
    repository: "OFA-Sys/chinese-clip-vit-large-patch14-336px",
    about: "Chinese-CLIP, ViT-L/14 at 336 pixels",
  },
  { repository: "OFA-Sys/chinese-clip-vit-huge-patch14", about: "Chinese-CLIP, ViT-H/14" },
  { repository: "rinna/japanese-clip-vit-b-16", about: "rinna's Japanese CLIP, ViT-B/16" },
  { repository: "rinna/japanese-cloob-vit-b-16", about: "rinna's Japanese CLOOB, ViT-B/16" },
  {
    repository: "clip-italian/clip-italian",
    about: "clip-italian, ViT-B/32",
    license: "GPL-3.0",
  },
];

export function comparatorOf(repository: string): Comparator | undefined {
  return comparators.find((row) => row.repository === repository);
}
