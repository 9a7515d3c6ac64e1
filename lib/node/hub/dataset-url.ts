/** Addresses of datasets on the hub, as CLIP_benchmark takes them: `https://huggingface.co/datasets/OWNER/NAME/tree/main`. */
import { HUB_URL } from "@huggingface/hub";
import { InputError } from "../../errors/input-error.ts";
import { assertRevision, isRepositoryName, type HubName } from "./cache.ts";

const pattern = /^https?:\/\/[^/]+\/datasets\/([^/]+\/[^/]+)(?:\/tree\/(.+?))?\/?$/;

/** @throws InputError unless the text is the address of a dataset */
export function parseDatasetUrl(text: string): HubName {
  const [, repository, revision = "main"] = pattern.exec(text) ?? [];
  if (repository === undefined || !isRepositoryName(repository)) {
    throw new InputError(
      `${text}: expected the address of a dataset such as ${HUB_URL}/datasets/clip-benchmark/wds_imagenet1k/tree/main`,
    );
  }
  assertRevision(revision);
  return { repository, revision };
}

/** The address of a dataset. */
export function datasetUrl({ repository, revision }: HubName): string {
  return `${HUB_URL}/datasets/${repository}/tree/${revision}`;
}
