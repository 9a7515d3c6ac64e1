/** Operations of an image and a text by size. They are counted, not measured. */
import { countFlops } from "../../lib/clip/flops.ts";
import type { Context } from "../context.ts";
import type { Row, Table } from "../table.ts";

export function countGrowth({ model: { config } }: Context): Promise<Table[]> {
  const base = countFlops(config);
  const [height, width] = config.vision.imageSize;
  const images = [1, 1.5, 2].map((scale): Row => {
    const { image } = countFlops(config, { imageSize: [height * scale, width * scale] });
    return {
      what: `image, ${width * scale} × ${height * scale}`,
      gflops: image / 1e9,
      ratio: image / base.image,
    };
  });
  const texts = [8, 16, 32, config.text.contextLength].map((tokens): Row => {
    const { text } = countFlops(config, { textLength: tokens });
    return { what: `text, ${tokens} tokens`, gflops: text / 1e9, ratio: text / base.text };
  });
  const table: Table = {
    id: "growth",
    title: "operations of one image and one text, counted",
    columns: [
      { key: "what", title: "input" },
      { key: "gflops", title: "GFLOP" },
      { key: "ratio", title: "× the model's own" },
    ],
    rows: [...images, ...texts],
  };
  return Promise.resolve([table]);
}
