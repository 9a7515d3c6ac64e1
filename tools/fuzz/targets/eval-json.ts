/** JSON files of evaluations: details of results, class names, templates, and Babel-ImageNet's classes. */
import { InputError } from "../../../lib/errors/input-error.ts";
import { readBabelClasses, readBabelTemplates } from "../../../lib/eval/prompts/babel-imagenet.ts";
import { promptFormat } from "../../../lib/eval/prompts/format-prompt.ts";
import { readClassNameFile, readTemplateFile } from "../../../lib/eval/prompts/prompt-files.ts";
import { readEvaluation } from "../../../lib/eval/report/read-evaluation.ts";
import { json } from "../fixtures.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { CreateTarget } from "../target.ts";

type Read = (input: Uint8Array) => string;

function readTemplates(input: Uint8Array): string {
  const { datasets } = readTemplateFile(input, "templates.json");
  const all = [...datasets.values()].flatMap((own) => [...own.values()].flat());
  const prompts = all.map((text) => promptFormat(text, "templates.json")("{c}"));
  return `templates: ${Math.min(prompts.length, 3)}`;
}

const readers: readonly Read[] = [
  (input) => `details: ${readEvaluation(input, "details.json").details.kind}`,
  (input) => `names: ${Math.min(readClassNameFile(input, "names.json").datasets.size, 3)}`,
  readTemplates,
  (input) => `classes: ${Math.min(readBabelClasses(input, "babel.json", "de").indices.length, 3)}`,
  (input) => `babel templates: ${Math.min(readBabelTemplates(input, "babel.json", "de").length, 3)}`,
];

const common = {
  ...{ images: 4, datasetImages: 4, failed: [{ image: "a.png", reason: "damaged" }], ties: 0 },
  ...{ layout: "webdataset", split: "test", imagesSha256: "0123456789abcdef" },
  standardErrors: { acc1: 0.25, acc5: null },
  prompts: null,
};
const seeds = [
  {
    ...common,
    details: {
      kind: "classification",
      classes: [
        { name: "a", examples: 2, recall: 0.5, precision: null },
        { name: "b", examples: 2, recall: null, precision: 1 },
      ],
      confusions: [
        [0, 1, 1],
        [1, 1, 2],
      ],
    },
  },
  { imagenet1k: ["cat", "dog"] },
  { imagenet1k: ["a {c}", "{{}} {}"], cupl: { cat: ["a cat"], dog: ["a dog", "{c}"] } },
  {
    DE: [
      [0, 999],
      ["Katze", "Hund"],
    ],
  },
  { DE: ["ein {}"] },
];

export const create: CreateTarget = () => ({
  seeds: seeds.map(json),
  mutations: [mutateJson, mutateJson, duplicateKey],
  run(input) {
    const results: string[] = [];
    let refusal = new InputError("no reader");
    for (const read of readers) {
      try {
        results.push(read(input));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refusal = error;
      }
    }
    if (results.length === 0) throw refusal;
    return Promise.resolve(results.join("; "));
  },
  maxSize: 8192,
});
