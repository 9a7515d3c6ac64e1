import { GeneratedDatasets, goldenResults } from "./generated-datasets.ts";

describe("all generated datasets", function () {
  this.timeout(240_000);
  let datasets: GeneratedDatasets;

  before(async () => {
    datasets = await GeneratedDatasets.write();
  });

  after(async () => {
    await datasets.delete();
  });

  for (const result of goldenResults) {
    it(`${result.record.dataset} (${result.record.language}): the figures of CLIP_benchmark`, async () => {
      await datasets.compare(result);
    });
  }
});
