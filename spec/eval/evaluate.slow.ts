import { GeneratedDatasets, goldenResults } from "./generated-datasets.ts";

for (const count of [16, 32, 64]) {
  describe(`all generated datasets, ${count} images`, function () {
    this.timeout(240_000);
    let datasets: GeneratedDatasets;

    before(async () => {
      datasets = await GeneratedDatasets.write(count);
    });

    after(async () => {
      await datasets.delete();
    });

    for (const result of goldenResults(count)) {
      it(`${result.record.dataset} (${result.record.language}): the figures of CLIP_benchmark`, async () => {
        await datasets.compare(result);
      });
    }
  });
}
