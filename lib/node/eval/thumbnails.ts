/** Small copies of images for report pages. */
import { basename, join } from "node:path";
import { encodePng } from "../../draw/png.ts";
import { toBase64 } from "../../features/base64.ts";
import type { StoredImage } from "../../tasks/image-source.ts";
import { exists } from "../files/exists.ts";
import { listTar } from "../images/tar-index.ts";
import { thumbnail } from "../images/thumbnail.ts";

/** The longer side of a thumbnail, in pixels. */
const side = 160;

/**
 * Makes thumbnails of images that can be found.
 *
 * @param names as results have them: the path of a file, or `TAR:PATH` for a member of a tar
 * @param folder where images are whose own path does not exist any more, by their base names
 * @returns PNG files as data URLs; images that are missing or cannot be decoded have none
 */
export async function thumbnailsOf(names: readonly string[], folder?: string): Promise<Map<string, string>> {
  const tars = new Map<string, Promise<ReadonlyMap<string, StoredImage>>>();
  const thumbnails = new Map<string, string>();
  for (const name of names) {
    const source = await find(name, folder, tars);
    const small = source === null ? null : await thumbnail(source, side).catch(() => null);
    if (small !== null) thumbnails.set(name, `data:image/png;base64,${toBase64(await encodePng(small))}`);
  }
  return thumbnails;
}

type Tars = Map<string, Promise<ReadonlyMap<string, StoredImage>>>;

async function find(name: string, folder: string | undefined, tars: Tars): Promise<StoredImage | null> {
  const moved = folder === undefined ? [] : [join(folder, name), join(folder, basename(name))];
  for (const path of [name, ...moved]) if (await exists(path)) return path;
  const tar = /^(.*\.tar):./s.exec(name)?.[1];
  if (tar === undefined || !(await exists(tar))) return null;
  if (!tars.has(tar)) {
    tars.set(
      tar,
      listTar(tar).then(
        (members) => new Map([...members].map((member) => [member.name, member])),
        () => new Map<string, StoredImage>(),
      ),
    );
  }
  return (await tars.get(tar)!).get(name) ?? null;
}
