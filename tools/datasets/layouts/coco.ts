/** MS-COCO with Karpathy's test split: `val2014` and `coco_test_karpathy.json`, in COCO's format. */
import { json, type GeneratedDataset, type GeneratedFile } from "../generated-dataset.ts";

export const coco: GeneratedDataset = {
  name: "mscoco_captions",
  folder: "mscoco_captions",
  layout: "COCO's JSON, Karpathy's split",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    // Ids are not in the order of the list: readers sort the images by them.
    const images = world.indices.map((index) => {
      const id = 1000 + ((index * 37) % 9973);
      return { index, id, file_name: `COCO_val2014_${`${id}`.padStart(12, "0")}.jpg` };
    });
    for (const { index, file_name } of images) {
      yield { path: `val2014/${file_name}`, content: await world.image(index, "jpg") };
    }
    // Annotations of different images alternate. An image has five captions, some have six, one has none.
    const captions = images.map(({ index, id }) => {
      const own = world.captions(index).en;
      if (index === 4) return [];
      return (index % 10 === 3 ? [...own, `${own[0]!} `] : own).map((caption) => ({ image_id: id, caption }));
    });
    const annotations = Array.from({ length: 6 }, (_, i) => captions.flatMap((own) => own.slice(i, i + 1)))
      .flat()
      .map((annotation, i) => ({ ...annotation, id: i }));
    yield {
      path: "coco_test_karpathy.json",
      content: json({ images: images.map(({ id, file_name }) => ({ id, file_name })), annotations }),
    };
  },
};
