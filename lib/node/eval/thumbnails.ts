/** Small copies of images for report pages. */
import { basename, join } from "node:path";
import { encodePng } from "../../draw/png.ts";
import { Raster } from "../../draw/raster.ts";
import { toBase64 } from "../../features/base64.ts";
import { decodeImage } from "../../image/decode.ts";
import { toRgb, type DecodedImage } from "../../image/image.ts";
import { resize } from "../../image/resize.ts";
import type { StoredImage } from "../../tasks/image-source.ts";
import { exists } from "../files/exists.ts";
import { FileSource } from "../files/file-source.ts";
import { nodeCodecs } from "../images/codecs.ts";
import { listTar } from "../images/tar-index.ts";

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
    const url = source === null ? null : await thumbnail(source, name).catch(() => null);
    if (url !== null) thumbnails.set(name, url);
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

async function thumbnail(source: StoredImage, name: string): Promise<string> {
  const decoded = await decodeImage(await read(source), name, nodeCodecs());
  const rgb: DecodedImage = {
    width: decoded.width,
    height: decoded.height,
    mode: "RGB",
    data: toRgb(decoded),
    stride: 3,
  };
  const scale = Math.min(1, side / Math.max(rgb.width, rgb.height));
  const size = {
    width: Math.max(1, Math.round(rgb.width * scale)),
    height: Math.max(1, Math.round(rgb.height * scale)),
  };
  const small = resize(rgb, size, "bicubic", { ...size, left: 0, top: 0 });
  const raster = new Raster(size.width, size.height);
  raster.rgb.set(toRgb(small));
  return `data:image/png;base64,${toBase64(await encodePng(raster))}`;
}

async function read(source: StoredImage): Promise<Uint8Array> {
  const file = await FileSource.open(typeof source === "string" ? source : source.file);
  try {
    return typeof source === "string"
      ? await file.read(0, file.size)
      : await file.read(source.offset, source.size);
  } finally {
    await file.close();
  }
}
